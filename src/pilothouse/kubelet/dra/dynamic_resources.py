"""Has drivers make ready what pods claim before their containers start, and take it back when the last pod is over.

A claim is noted before its driver is asked, so that whatever happens it is given back. Upstream:
pkg/kubelet/cm/dra/manager.go; the messages are its.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Protocol

from pilothouse.api.machinery.errors import StatusError
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Container, Pod
from pilothouse.api.types.resource_v1 import ResourceClaim
from pilothouse.kubelet.dra.claim_cache import ClaimCache
from pilothouse.kubelet.dra.claim_info import ClaimError, ClaimInfo, Place
from pilothouse.kubelet.dra.claim_locks import ClaimLocks
from pilothouse.kubelet.dra.claimed import Claimed, claimed, has_claims, require_own, require_reserved, used
from pilothouse.kubelet.dra.health import Health, HealthBook
from pilothouse.kubelet.dra.health import Place as DevicePlace
from pilothouse.kubelet.dra.health_status import with_health
from pilothouse.kubelet.dra.plugin import Outcome
from pilothouse.kubelet.dra.plugins import DraPlugins
from pilothouse.kubelet.plugins.unix_client import PluginError
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log
from pilothouse.runtime.tasks import Tasks

log = Log(__name__)
_PREPARE, _UNPREPARE = "NodePrepareResources", "NodeUnprepareResources"


class Claims(Protocol):
    """Where claims are read."""

    async def claim(self, namespace: str, name: str) -> ResourceClaim:
        """One. Raises StatusError, OSError."""
        ...


class DynamicResources:
    """Of one node, whose kubelet has its files in `directory`. Making it raises ValueError."""

    def __init__(self, directory: Path, claims: Claims, clock: Clock, tasks: Tasks) -> None:
        self.plugins = DraPlugins(directory, clock, tasks)
        self.cache = ClaimCache(directory)
        self.observe: Callable[[str, bool, float], None] = lambda _name, _failed, _seconds: None
        """Told of what is done for each pod: what, whether it failed, seconds."""
        self.on_health: Callable[[str], None] = lambda _uid: None
        """Told of each pod whose devices are otherwise than before."""
        self._health = HealthBook(clock)
        self.plugins.on_health = self._heard
        self._claims = claims
        self._clock = clock
        self._locks = ClaimLocks()

    # Before containers start.

    async def prepare(self, pod: Pod) -> None:
        """Have ready all that the pod claims. Raises ClaimError."""
        if not has_claims(pod):
            return
        try:
            await self._observed("PrepareResources", self._prepare(pod))
        except ClaimError as error:
            raise ClaimError(f"prepare dynamic resources: {error}") from error

    async def _prepare(self, pod: Pod) -> None:
        """What speaks against it is found before anything is noted: such a pod goes without its drivers."""
        wanted = [await self._wanted(pod, one) for one in claimed(pod)]
        async with self._locks.hold(info.place for info in wanted):
            infos = self.cache.refer(pod.metadata.uid, wanted)
            missing = [info for info in infos if not info.prepared]
            for driver, batch in _by_driver(missing).items():
                outcomes = await self._ask(_PREPARE, driver, batch)
                for info in batch:
                    info.devices[driver] = outcomes[info.uid].devices
            for info in missing:
                info.prepared = True
            if missing:
                self.cache.save()

    async def _wanted(self, pod: Pod, one: Claimed) -> ClaimInfo:
        """A claim, if the pod may have it. Raises ClaimError."""
        try:
            claim = await self._claims.claim(pod.metadata.namespace, one.name)
        except (StatusError, OSError, TimeoutError) as error:
            raise ClaimError(f"fetch ResourceClaim {one.name}: {str(error) or 'timed out'}") from error
        if one.own:
            require_own(pod, claim)
        require_reserved(pod, claim)
        info = ClaimInfo.of(claim)
        for driver in info.devices:
            self.plugins.plugin(driver)
        return info

    async def _ask(self, name: str, driver: str, batch: list[ClaimInfo]) -> Mapping[str, Outcome]:
        """What a driver says of each of the claims. Raises ClaimError when one of them failed."""
        plugin = self.plugins.plugin(driver)
        try:
            outcomes = await (plugin.prepare(batch) if name == _PREPARE else plugin.unprepare(batch))
        except PluginError as error:
            raise ClaimError(f"{name}: {error}") from error
        names = {info.uid: info.name for info in batch}
        for uid, outcome in outcomes.items():
            if uid not in names:
                raise ClaimError(f"{name} returned result for unknown claim UID {uid}")
            if outcome.error:
                raise ClaimError(f"{name} failed for ResourceClaim {names[uid]}: {outcome.error}")
        if skipped := len(names) - len(outcomes):
            raise ClaimError(f"{name} skipped {skipped} ResourceClaims")
        return outcomes

    # When a container starts.

    def cdi(self, pod: Pod, container: Container) -> list[str]:
        """The devices that the runtime is to give a container. Raises ClaimError."""
        found: list[str] = []
        for name, requests in used(pod, container).items():
            info = self.cache.get((pod.metadata.namespace, name))
            if info is None:
                raise ClaimError(
                    f"internal error: unable to get claim info for ResourceClaim {name} "
                    f"in namespace {pod.metadata.namespace}"
                )
            found += info.cdi(requests)
        return list(dict.fromkeys(found))

    # When the pod is over.

    async def unprepare(self, uid: str) -> None:
        """Give back what the pod has. Raises ClaimError."""
        places = [info.place for info in self.cache.of_pod(uid)]
        if not places:
            return
        try:
            await self._observed("UnprepareResources", self._unprepare(uid, places))
        except ClaimError as error:
            raise ClaimError(f"unprepare dynamic resources: {error}") from error

    async def _unprepare(self, uid: str, places: Collection[Place]) -> None:
        async with self._locks.hold(places):
            infos = self.cache.of_pod(uid)
            last = [info for info in infos if len(info.pods) == 1]
            for info in last:
                info.prepared = False
            for driver, batch in _by_driver(last).items():
                await self._ask(_UNPREPARE, driver, batch)
            self.cache.drop(uid, infos)

    async def give_back(self, known: Collection[str], ended: Callable[[str], Awaitable[bool]]) -> None:
        """Give back what pods have that nobody looks after, when `ended` says that nothing of them runs."""
        for uid in self.cache.pods():
            if uid in known or not await ended(uid):
                continue
            try:
                await self.unprepare(uid)
            except ClaimError as error:
                log.info("Unpreparing pod resources in reconcile loop failed, will retry", uid=uid, err=str(error))

    # How devices are.

    def with_health(self, pod: Pod, status: JsonObject) -> JsonObject:
        """The pod's status, in which it is told how its devices are."""
        if not has_claims(pod) or not self.cache.of_pod(pod.metadata.uid):
            return status
        namespace = pod.metadata.namespace
        return with_health(
            pod, status, lambda name: self.cache.get((namespace, name)),
            lambda driver, device: self._health.get(driver, (device.pool, device.name)),
        )  # fmt: skip

    def _heard(self, driver: str, told: Iterable[tuple[DevicePlace, Health]] | None) -> None:
        changed = self._health.clear(driver) if told is None else self._health.report(driver, told)
        for uid in self.cache.users(driver, changed):
            self.on_health(uid)

    async def _observed(self, name: str, work: Awaitable[None]) -> None:
        began, failed = self._clock.monotonic(), True
        try:
            await work
            failed = False
        finally:
            self.observe(name, failed, self._clock.monotonic() - began)


def _by_driver(infos: Iterable[ClaimInfo]) -> dict[str, list[ClaimInfo]]:
    found: dict[str, list[ClaimInfo]] = {}
    for info in infos:
        for driver in info.devices:
            found.setdefault(driver, []).append(info)
    return found
