import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from fakes.served import schemas
from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.errors import InternalError, Invalid
from pilothouse.api.networking.ip_address import ALLOCATOR, MANAGED_BY
from pilothouse.api.types.core_v1 import Service
from pilothouse.api.types.networking_v1 import IPAddress, ServiceCIDR
from pilothouse.apiserver.allocation.cluster_ips import ClusterIps, gives
from pilothouse.apiserver.allocation.services import ServiceAllocation
from pilothouse.apiserver.server import ApiServer
from pilothouse.client.client import Client
from pilothouse.client.memo import Memo
from pilothouse.client.transport import HandlerTransport
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import SystemClock
from pilothouse.store.memory import MemoryStore

MISMATCH = "the provided network does not match the current range"
TAKEN = "provided IP is already allocated"


def run(story: Callable[[Client, ClusterIps], Awaitable[None]], *cidrs: str) -> None:
    async def scenario() -> None:
        clock = SystemClock()
        async with MemoryStore(clock) as store, ApiServer(store, builtin(), schemas(), clock, Chance(1)) as server:
            ranges = cidrs or ("10.96.0.0/29",)
            pools = ServiceAllocation(server.cache, ranges, (30000, 30003), Chance(2))
            server.assemble(allocate=pools.allocate)
            client = Client(HandlerTransport(server.handle, None), builtin(), clock, memo=Memo())
            await story(client, ClusterIps(server.cache, ranges, Chance(3)))

    asyncio.run(scenario())


def service(name: str, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "default"}, "spec": {"ports": [{"port": 80}], **spec}}


def blocks(name: str, *cidrs: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"cidrs": [*cidrs]}}


def address(name: str, **labels: str) -> dict[str, Any]:
    parent = {"resource": "gateways", "namespace": "default", "name": "g"}
    return {"metadata": {"name": name, "labels": labels}, "spec": {"parentRef": parent}}


@pytest.mark.parametrize(
    ("metadata", "conditions", "expected"),
    [
        ({}, [], True),
        ({}, [{"type": "Ready", "status": "True"}], True),
        ({}, [{"type": "Ready", "status": "False"}], False),
        ({"deletionTimestamp": "2026-01-01T00:00:00Z"}, [{"type": "Ready", "status": "True"}], False),
    ],
)
def test_which_ranges_give(metadata: dict[str, str], conditions: list[dict[str, str]], expected: bool) -> None:
    assert gives({"metadata": metadata, "status": {"conditions": conditions}}) is expected


def test_the_configured_range_until_the_object_says_another() -> None:
    async def story(client: Client, ips: ClusterIps) -> None:
        assert ips.refusal("IPv4", "10.96.0.1") == ""
        await client.create(ServiceCIDR, blocks("kubernetes", "10.97.0.0/29"))
        assert ips.refusal("IPv4", "10.96.0.1") == MISMATCH
        assert ips.refusal("IPv4", "10.97.0.1") == ""
        await client.delete(ServiceCIDR, "kubernetes")
        assert ips.refusal("IPv4", "10.96.0.1") == ""

    run(story)


@pytest.mark.parametrize(
    ("family", "asked", "why"),
    [
        ("IPv4", "10.96.0.6", ""),
        ("IPv4", "10.96.0.0", MISMATCH),
        ("IPv4", "10.96.0.7", MISMATCH),
        ("IPv4", "10.96.0.8", MISMATCH),
        ("IPv4", "fd00::1", MISMATCH),
        ("IPv6", "fd00::ff", ""),
        ("IPv6", "fd00::", MISMATCH),
        ("IPv6", "fd01::1", MISMATCH),
    ],
)
def test_what_is_in_a_range(family: str, asked: str, why: str) -> None:
    async def story(client: Client, ips: ClusterIps) -> None:
        await client.create(ServiceCIDR, blocks("large", "fd01::/48"))
        assert ips.refusal(family, asked) == why

    run(story, "10.96.0.0/29", "fd00::/120")


def test_ranges_help_each_other_out_and_may_overlap() -> None:
    async def story(client: Client, ips: ClusterIps) -> None:
        await client.create(ServiceCIDR, blocks("kubernetes", "10.96.0.0/30"))
        await client.create(ServiceCIDR, blocks("more", "10.96.0.0/29"))
        made = [(await client.create(Service, service(f"s{n}"))).spec.clusterIP for n in range(6)]
        assert {*made[:2]} == {"10.96.0.1", "10.96.0.2"}, "the default's first"
        assert {*made} == {f"10.96.0.{n}" for n in range(1, 7)}
        with pytest.raises(InternalError, match="failed to allocate a serviceIP: range is full"):
            await client.create(Service, service("more"))
        await client.delete(Service, "s0", "default")
        assert (await client.create(Service, service("more"))).spec.clusterIP == made[0]

    run(story)


def test_what_another_object_holds_is_no_services() -> None:
    async def story(client: Client, ips: ClusterIps) -> None:
        for number in range(1, 6):
            await client.create(IPAddress, address(f"10.96.0.{number}"))
        with pytest.raises(Invalid, match=f"failed to allocate IP 10.96.0.3: {TAKEN}"):
            await client.create(Service, service("a", clusterIP="10.96.0.3"))
        assert (await client.create(Service, service("a"))).spec.clusterIP == "10.96.0.6"
        await client.delete(IPAddress, "10.96.0.3")
        assert (await client.create(Service, service("b", clusterIP="10.96.0.3"))).spec.clusterIP == "10.96.0.3"

    run(story)


def test_the_objects_of_services_hold_nothing_by_themselves() -> None:
    async def story(client: Client, ips: ClusterIps) -> None:
        await client.create(IPAddress, address("10.96.0.3", **{MANAGED_BY: ALLOCATOR}))
        assert ips.refusal("IPv4", "10.96.0.3") == ""

    run(story)
