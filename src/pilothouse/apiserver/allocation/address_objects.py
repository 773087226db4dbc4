"""IPAddress objects: one for each cluster IP, which say what the Services say (docs/decisions/0014).

They follow the Services a moment later: what is taken is decided without them, so nothing is slower for them, and what
a crash or somebody's hand leaves behind is mended in the same way as all else. Source of the facts:
pkg/registry/core/service/ipallocator (ipallocator.go, controller/repairip.go).
"""

import ipaddress
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from pilothouse.api.machinery.columns import dig
from pilothouse.api.machinery.errors import AlreadyExists, Conflict, NotFound, StatusError
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.networking.ip_address import ALLOCATOR, FAMILY, MANAGED_BY, is_of_a_service
from pilothouse.api.types.networking_v1 import IPAddress
from pilothouse.apiserver.registry.watch_cache import WatchCache
from pilothouse.client.client import Client
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log
from pilothouse.runtime.work_queue import WorkQueue

_log = Log(__name__)


class Holder(NamedTuple):
    """A Service that has an address."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Mending:
    """What is to be done about one address: first the one, then the other."""

    delete: bool = False
    create: JsonObject | None = None


def plan_mending(address: str, holders: Sequence[Holder], found: JsonObject | None) -> Mending:
    """From who has the address to the object that says so. Two have one only by accident: either may be named."""
    if not holders:
        return Mending(delete=found is not None and is_of_a_service(found))
    right = [address_object(address, holder) for holder in holders]
    if found is not None and any(_says_the_same(found, one) for one in right):
        return Mending()
    return Mending(delete=found is not None, create=right[0])


def address_object(address: str, holder: Holder) -> JsonObject:
    """The object that says that a Service has the address."""
    labels = {FAMILY: f"IPv{ipaddress.ip_address(address).version}", MANAGED_BY: ALLOCATOR}
    parent = {"resource": "services", "namespace": holder.namespace, "name": holder.name}
    return {"metadata": {"name": address, "labels": labels}, "spec": {"parentRef": parent}}


def _says_the_same(found: JsonObject, right: JsonObject) -> bool:
    parent = {name: value for name, value in (dig(found, "spec", "parentRef") or {}).items() if value}
    labels: JsonObject = found["metadata"].get("labels") or {}
    wanted: JsonObject = right["metadata"]["labels"]
    return bool(parent == right["spec"]["parentRef"]) and labels.items() >= wanted.items()


class AddressObjects:
    """Makes, mends and removes them, for ever."""

    def __init__(self, cache: WatchCache, client: Client, clock: Clock) -> None:
        self._client = client
        self._holders: dict[str, dict[Holder, None]] = {}
        self._queue: WorkQueue[str] = WorkQueue(clock)
        self._objects = cache.of("networking.k8s.io", "ipaddresses")
        self._objects.observe(self._object_changed)
        cache.of("", "services").observe(self._service_changed)

    async def keep(self) -> None:
        """See to one address after the other."""
        while True:
            address = await self._queue.get()
            try:
                await self._mend(address)
            except (StatusError, OSError, TimeoutError) as error:
                _log.warning("IPAddress not kept up; trying again", address=address, err=str(error))
                self._queue.add_rate_limited(address)
            else:
                self._queue.forget(address)
            finally:
                self._queue.done(address)

    async def _mend(self, address: str) -> None:
        entry = self._objects.get("", address)
        found = None if entry is None else entry.decode()
        mending = plan_mending(address, [*self._holders.get(address, ())], found)
        if mending.delete and found is not None:
            with suppress(NotFound, Conflict):
                await self._client.delete(IPAddress, address, uid=found["metadata"]["uid"])
        if mending.create is not None:
            with suppress(AlreadyExists):  # what that says comes by the watch
                await self._client.create(IPAddress, mending.create)

    def _service_changed(self, old: JsonObject | None, new: JsonObject | None) -> None:
        before, after = _addresses(old), _addresses(new)
        if before == after:
            return
        metadata = (new or old or {})["metadata"]
        holder = Holder(metadata["namespace"], metadata["name"])
        for address in before:
            self._holders[address].pop(holder)
            if not self._holders[address]:
                del self._holders[address]
        for address in after:
            self._holders.setdefault(address, {})[holder] = None
        for address in {**before, **after}:
            self._queue.add(address)

    def _object_changed(self, old: JsonObject | None, new: JsonObject | None) -> None:
        changed = new if new is not None else old
        assert changed is not None
        self._queue.add(changed["metadata"]["name"])


def _addresses(service: JsonObject | None) -> dict[str, None]:
    """A Service's cluster IPs, as they are written for names."""
    found: dict[str, None] = {}
    for text in dig(service or {}, "spec", "clusterIPs") or ():
        with suppress(ValueError):
            found[str(ipaddress.ip_address(text))] = None
    return found
