"""The table follows the cluster, the kernel follows the table."""

import asyncio

import pytest

from fakes.api import FakeApi
from pilothouse.api.types.core_v1 import Service
from pilothouse.api.types.discovery_v1 import EndpointSlice
from pilothouse.client.informer import Informers
from pilothouse.linux.conntrack import ConntrackError
from pilothouse.linux.nftables import Nft, NftError
from pilothouse.proxy.main import ProxyConfig, Synchroniser, read_table, run
from pilothouse.proxy.ruleset import Ruleset
from pilothouse.proxy.table import Destinations, Portal, ServiceTable, Target
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import SystemClock
from pilothouse.runtime.tasks import Tasks


class Kernel:
    """A backend that remembers what it was told, and may refuse."""

    def __init__(self) -> None:
        self.applied: list[tuple[Ruleset, Ruleset | None]] = []
        self.refuse = False

    def render(self, table: ServiceTable) -> Ruleset:
        return Ruleset(",".join(portal.name for portal in table.portals))

    async def apply(self, new: Ruleset, old: Ruleset | None) -> None:
        if self.refuse:
            raise NftError("no")
        self.applied.append((new, old))


def table(*addresses: str) -> ServiceTable:
    to = Destinations(tuple(Target(address, 5353) for address in addresses), local=False, elsewhere=True)
    return ServiceTable((Portal("d", "udp", 53, ("10.96.0.9",), (), 0, to, to),))


def test_after_a_refusal_everything_is_written_anew() -> None:
    kernel, tables = Kernel(), [table("1")]

    async def forget(*_filters: str) -> None:
        raise ConntrackError("no such tool")

    async def scenario() -> None:
        synchroniser = Synchroniser(kernel, lambda: tables[-1], forget)
        await synchroniser.sync()
        await synchroniser.sync()
        kernel.refuse = True
        with pytest.raises(NftError):
            await synchroniser.sync()
        kernel.refuse = False
        tables.append(table())
        await synchroniser.sync()

    asyncio.run(scenario())
    assert [old is None for _, old in kernel.applied] == [True, False, True]


def test_stale_flows_are_forgotten_after_the_rules_changed() -> None:
    kernel, tables, told = Kernel(), [table("1")], list[tuple[int, tuple[str, ...]]]()

    async def forget(*filters: str) -> None:
        told.append((len(kernel.applied), filters))

    async def scenario() -> None:
        synchroniser = Synchroniser(kernel, lambda: tables[-1], forget)
        await synchroniser.sync()
        tables.append(table("2"))
        await synchroniser.sync()

    asyncio.run(scenario())
    place = ("-p", "udp", "--orig-port-dst", "53", "--orig-dst", "10.96.0.9")
    assert told == [(1, place), (2, (*place, "--dst-nat", "1"))]


def add_service(api: FakeApi, name: str, address: str) -> None:
    ports = [{"name": "http", "port": 80, "protocol": "TCP"}]
    spec = {"clusterIP": address, "ports": ports}
    api.add("v1", "Service", {"metadata": {"name": name, "namespace": "ns"}, "spec": spec})
    meta = {"name": f"{name}-1", "namespace": "ns", "labels": {"kubernetes.io/service-name": name}}
    endpoints = [{"addresses": ["10.244.0.2"], "conditions": {"ready": True}}]
    slice_ports = [{"name": "http", "port": 8080, "protocol": "TCP"}]
    body = {"metadata": meta, "addressType": "IPv4", "endpoints": endpoints, "ports": slice_ports}
    api.add("discovery.k8s.io/v1", "EndpointSlice", body)


def test_table_of_what_the_informers_hold() -> None:
    async def scenario() -> ServiceTable:
        clock = SystemClock()
        api = FakeApi(clock)
        add_service(api, "web", "10.96.0.7")
        async with Tasks() as tasks:
            informers = Informers(api.client(), clock, tasks)
            services, slices = informers.of(Service), informers.of(EndpointSlice)
            await informers.synced()
            return read_table(services, slices, "here")

    (portal,) = asyncio.run(scenario()).portals
    assert portal.inside.targets == (Target("10.244.0.2", 8080),)


def test_a_burst_of_changes_is_few_transactions_and_failure_is_retried() -> None:
    scripts: list[str] = []

    class Scripts(Nft):
        async def apply(self, script: str) -> None:
            scripts.append(script)
            if len(scripts) == 1:
                raise NftError("busy")

    class Hasty(SystemClock):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(min(seconds, 0.02))

    async def scenario() -> None:
        clock = Hasty()
        api = FakeApi(clock)
        ready = asyncio.Event()
        config = ProxyConfig("here", "test", nft=Scripts())
        async with Tasks() as tasks:
            tasks.spawn(run(config, api.client(), clock, Chance(1), ready.set), name="proxy")
            await ready.wait()
            for number in range(30):
                add_service(api, f"web-{number}", f"10.96.1.{number}")
            while not any("10.96.1.29" in script and "10.244.0.2" in script for script in scripts):
                await clock.sleep(0.01)

    asyncio.run(scenario())
    assert scripts[0] == scripts[1]
    assert len(scripts) < 10
