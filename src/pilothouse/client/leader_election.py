"""Leader election: of several like processes one works, the one that holds the Lease.

The holder writes the time of its renewal; the others believe it gone when the lease has not changed for its whole
duration by their own clock, so clocks need not agree. Source: coordination.k8s.io/v1 Lease and client-go's
tools/leaderelection, whose periods are 15, 10 and 2 seconds.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pilothouse.api.machinery.errors import NotFound, StatusError
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.coordination_v1 import Lease
from pilothouse.client.client import Client
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock, Instant, format_micro_time
from pilothouse.runtime.log import Log
from pilothouse.runtime.tasks import Tasks

JITTER = 1.2
log = Log(__name__)


class LeadershipLost(Exception):
    """Another may lead now: whoever led must end."""


@dataclass(frozen=True, slots=True)
class Periods:
    """How long a lease lasts, how long a holder tries to renew it, and how often anyone tries."""

    lease: float = 15.0
    renew: float = 10.0
    retry: float = 2.0


@dataclass(frozen=True, slots=True)
class Observed:
    """A lease, and when we saw it change."""

    lease: Lease
    at: float


def plan_lease(
    observed: Observed | None, identity: str, periods: Periods, now: Instant, moment: float
) -> JsonObject | None:
    """The spec to write in order to hold the lease; None while another holds it. `moment` is monotonic time."""
    stamp = format_micro_time(now)
    fresh: JsonObject = {
        "holderIdentity": identity,
        "leaseDurationSeconds": int(periods.lease),
        "acquireTime": stamp,
        "renewTime": stamp,
        "leaseTransitions": 0,
    }
    if observed is None:
        return fresh
    spec = observed.lease.spec
    transitions = spec.leaseTransitions or 0
    if spec.holderIdentity == identity:
        acquired = format_micro_time(spec.acquireTime) if spec.acquireTime is not None else stamp
        return {**fresh, "acquireTime": acquired, "leaseTransitions": transitions}
    lasts = float(spec.leaseDurationSeconds or periods.lease)
    if spec.holderIdentity and observed.at + lasts > moment:
        return None
    return {**fresh, "leaseTransitions": transitions + 1}


class LeaderElector:
    """One candidate for one lease."""

    def __init__(
        self,
        client: Client,
        clock: Clock,
        chance: Chance,
        *,
        name: str,
        identity: str,
        namespace: str = "kube-system",
        periods: Periods | None = None,
    ) -> None:
        self._client = client
        self._clock = clock
        self._chance = chance
        self._name = name
        self._namespace = namespace
        self._identity = identity
        self._periods = periods or Periods()
        self._observed: Observed | None = None

    async def run(self, lead: Callable[[], Awaitable[None]]) -> None:
        """Wait for the lease, then run `lead` while holding it. Raises LeadershipLost when it cannot be renewed."""
        while not await self._try():
            await self._clock.sleep(self._periods.retry * (1 + self._chance.uniform(0, JITTER)))
        log.info("Successfully acquired lease", lock=f"{self._namespace}/{self._name}")
        try:
            async with Tasks() as tasks:
                tasks.spawn(self._renew(), name=f"renew lease {self._name}")
                await lead()
        except ExceptionGroup as group:
            lost, rest = group.split(LeadershipLost)
            if rest is None and lost is not None:
                raise LeadershipLost(f"the lease {self._namespace}/{self._name} is lost") from group
            raise
        finally:
            await self._release()

    async def _renew(self) -> None:
        while True:
            await self._clock.sleep(self._periods.retry)
            try:
                async with self._clock.timeout(self._periods.renew):
                    while not await self._try():
                        await self._clock.sleep(self._periods.retry)
            except TimeoutError as error:
                raise LeadershipLost from error

    async def _try(self) -> bool:
        """Acquire or renew once. Whatever fails may succeed the next time."""
        try:
            await self._observe()
            spec = plan_lease(self._observed, self._identity, self._periods, self._clock.now(), self._clock.monotonic())
            if spec is None:
                return False
            self._see(await self._write(spec))
        except (StatusError, OSError) as error:
            log.debug("Failed to acquire or renew lease", name=self._name, err=str(error))
            return False
        return True

    async def _observe(self) -> None:
        try:
            self._see(await self._client.get(Lease, self._name, self._namespace))
        except NotFound:
            self._observed = None

    def _see(self, lease: Lease) -> None:
        known = self._observed
        if known is None or known.lease.metadata.resourceVersion != lease.metadata.resourceVersion:
            self._observed = Observed(lease, self._clock.monotonic())

    async def _write(self, spec: JsonObject) -> Lease:
        meta: JsonObject = {"name": self._name, "namespace": self._namespace}
        if self._observed is None:
            return await self._client.create(Lease, {"metadata": meta, "spec": spec})
        meta = self._observed.lease.literal()["metadata"]
        return await self._client.update(Lease, {"metadata": meta, "spec": spec})

    async def _release(self) -> None:
        """Give the lease back, so that the next leader need not wait."""
        known = self._observed
        if known is None or known.lease.spec.holderIdentity != self._identity:
            return
        stamp = format_micro_time(self._clock.now())
        spec = {
            "holderIdentity": "",
            "leaseDurationSeconds": 1,
            "acquireTime": stamp,
            "renewTime": stamp,
            "leaseTransitions": known.lease.spec.leaseTransitions or 0,
        }
        try:
            async with self._clock.timeout(self._periods.retry):
                await self._write(spec)
        except (StatusError, OSError, TimeoutError) as error:
            log.debug("Failed to release lease", name=self._name, err=str(error))
