"""Cluster IPs and node ports for Services, as a stage of the write pipeline.

`allocate` writes what a Service needs into its new form and reserves it until the write is over; by then the watch
cache shows the Service, or the reservation is given back. On a store that several servers share, allocating is done
in turns (docs/decisions/0013): a turn begins with seeing what all turns before it gave away, and the write fails when
another server has had one meanwhile. Source: pkg/registry/core/service/storage/alloc.go.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext

import orjson

from pilothouse.api.core.service.families import init_families
from pilothouse.api.core.service.questions import (
    HEADLESS,
    allocates_node_ports,
    needs_cluster_ip,
    needs_health_check,
    needs_node_port,
)
from pilothouse.api.machinery import errors
from pilothouse.api.machinery.errors import InternalError
from pilothouse.api.machinery.field import FieldErrors, index
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.allocation.cluster_ips import ClusterIps
from pilothouse.apiserver.allocation.pools import FullError, NodePorts
from pilothouse.apiserver.pipeline.write import Write
from pilothouse.apiserver.registry.watch_cache import WatchCache
from pilothouse.runtime.chance import Chance
from pilothouse.store.interface import SharedStore, TurnLost

_TAKEN_PORT = "provided port is already allocated"
_NOTHING = nullcontext()


class ServiceAllocation:
    """The pools of one cluster. `cidrs` has one range a family, the preferred family first."""

    def __init__(self, cache: WatchCache, cidrs: Iterable[str], ports: tuple[int, int], chance: Chance) -> None:
        self._addresses = ClusterIps(cache, cidrs, chance)
        self._ports = NodePorts(*ports, chance)
        self._cache = cache
        self._one = asyncio.Lock()
        """Servers take turns, and so do the writes of one server: else it would lose its turns to itself."""
        cache.of("", "services").observe(self._observe)

    def allocate(self, write: Write) -> AbstractAsyncContextManager[None]:
        """Give a Service what it needs while the block writes it. Raises Invalid; InternalError from an empty pool.

        The block may raise TurnLost; the new form is then as it was, and all can be tried again.
        """
        if write.new is None or write.subresource is not None or write.resource.qualified_name != "services":
            return _NOTHING
        store = self._cache.store
        return self._in_turn(write, store) if isinstance(store, SharedStore) else self._alone(write)

    @asynccontextmanager
    async def _alone(self, write: Write) -> AsyncIterator[None]:
        with self._reserved(write):
            yield

    @asynccontextmanager
    async def _in_turn(self, write: Write, store: SharedStore) -> AsyncIterator[None]:
        asked = orjson.dumps(write.new)
        async with self._one:
            try:
                turn = await store.turn("services")
                await self._cache.reach(turn.revision)
                write.turn = turn
                with self._reserved(write):
                    yield
            except TurnLost:
                write.new = orjson.loads(asked)
                raise
            finally:
                write.turn = None

    @contextmanager
    def _reserved(self, write: Write) -> Iterator[None]:
        assert write.new is not None
        spec = write.new.setdefault("spec", {})
        before = (write.old or {}).get("spec") or {}
        wrong = FieldErrors()
        init_families(write.new, write.old, self._addresses.families, wrong)
        held_addresses: list[str] = []
        held_ports: list[int] = []
        try:
            if not wrong:
                self._give_addresses(spec, before, held_addresses, wrong)
                self._give_ports(spec, before, held_ports, wrong)
            if wrong:
                raise errors.invalid("Service", "", write.name, wrong)
            yield
        finally:
            self._addresses.hold(held_addresses, release=True)
            for port in held_ports:
                self._ports.release(port)

    def _give_addresses(self, spec: JsonObject, before: JsonObject, held: list[str], wrong: FieldErrors) -> None:
        if not needs_cluster_ip(spec):
            return
        asked: list[str] = list(spec.get("clusterIPs") or ([spec["clusterIP"]] if spec.get("clusterIP") else []))
        if asked[:1] == [HEADLESS]:
            spec["clusterIP"], spec["clusterIPs"] = HEADLESS, [HEADLESS]
            return
        own = before.get("clusterIPs") or []
        given: list[str] = []
        for position, family in enumerate(spec.get("ipFamilies") or ()):
            address = asked[position] if position < len(asked) else ""
            if family not in self._addresses.families:
                continue
            if not address:
                address = self._picked(family)
            elif address not in own and (why := self._addresses.refusal(family, address)):
                path = index("spec.clusterIPs", position)
                wrong.invalid(path, asked, f"failed to allocate IP {address}: {why}")
                continue
            self._addresses.hold([address])
            held.append(address)
            given.append(address)
        if given:
            spec["clusterIP"], spec["clusterIPs"] = given[0], given

    def _picked(self, family: str) -> str:
        try:
            return self._addresses.pick(family)
        except FullError as error:
            raise InternalError(f"failed to allocate a serviceIP: {error}") from None

    def _give_ports(self, spec: JsonObject, before: JsonObject, held: list[int], wrong: FieldErrors) -> None:
        if needs_node_port(spec):
            own = ports_of(before)
            by_number: dict[int, int] = {}
            for position, port in enumerate(spec.get("ports") or ()):
                path = f"{index('spec.ports', position)}.nodePort"
                self._give_port(port, allocates_node_ports(spec), own, by_number, held, wrong, path)
        if needs_health_check(spec):
            asked = spec.get("healthCheckNodePort") or 0
            if not asked:
                spec["healthCheckNodePort"] = self._pick(held)
            elif asked != before.get("healthCheckNodePort"):
                if why := self._wrong_with(asked, held):
                    wrong.invalid("spec.healthCheckNodePort", asked, why)
                else:
                    self._hold(asked, held)

    def _give_port(
        self,
        port: JsonObject,
        allocates: bool,
        own: set[int],
        by_number: dict[int, int],
        held: list[int],
        wrong: FieldErrors,
        path: str,
    ) -> None:
        """One port's node port: ports of one number and different protocols share one."""
        asked, number = port.get("nodePort") or 0, port.get("port") or 0
        if asked:
            if asked not in own and asked not in held:
                if why := self._wrong_with(asked, held):
                    wrong.invalid(path, asked, why)
                    return
                self._hold(asked, held)
            by_number.setdefault(number, asked)
        elif allocates:
            if number not in by_number:
                by_number[number] = self._pick(held)
            port["nodePort"] = by_number[number]

    def _pick(self, held: list[int]) -> int:
        try:
            port = self._ports.pick()
        except FullError as error:
            raise InternalError(f"failed to allocate a nodePort: {error}") from None
        self._hold(port, held)
        return port

    def _hold(self, port: int, held: list[int]) -> None:
        self._ports.hold(port)
        held.append(port)

    def _wrong_with(self, port: int, held: list[int]) -> str:
        if port not in self._ports:
            return f"provided port is not in the valid range. The range of valid ports is {self._ports.words}"
        return _TAKEN_PORT if self._ports.taken(port) and port not in held else ""

    def _observe(self, old: JsonObject | None, new: JsonObject | None) -> None:
        """Count what Services have; the new is counted before the old is forgotten."""
        for service, release in ((new, False), (old, True)):
            spec = (service or {}).get("spec") or {}
            self._addresses.hold(spec.get("clusterIPs") or (), release=release)
            for port in sorted(ports_of(spec)):
                (self._ports.release if release else self._ports.hold)(port)


def ports_of(spec: JsonObject) -> set[int]:
    """The node ports a Service has, that for health checks too."""
    found = {port["nodePort"] for port in spec.get("ports") or () if port.get("nodePort")}
    if health := spec.get("healthCheckNodePort"):
        found.add(health)
    return found
