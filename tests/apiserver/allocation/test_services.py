import asyncio
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

import pytest

from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.errors import InternalError, Invalid, StatusError
from pilothouse.api.machinery.schema import Schemas
from pilothouse.api.types.core_v1 import Service
from pilothouse.apiserver.allocation.services import ServiceAllocation
from pilothouse.apiserver.server import ApiServer
from pilothouse.client.client import Client
from pilothouse.client.memo import Memo
from pilothouse.client.transport import HandlerTransport
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import SystemClock
from pilothouse.store.memory import MemoryStore

PORTS = [{"port": 80, "protocol": "TCP"}]


@cache
def schemas() -> Schemas:
    return Schemas()


def run(story: Callable[[Client], Awaitable[None]], cidr: str = "10.96.0.0/24") -> None:
    async def scenario() -> None:
        clock = SystemClock()
        async with MemoryStore(clock) as store, ApiServer(store, builtin(), schemas(), clock, Chance(1)) as server:
            pools = ServiceAllocation(server.cache, (cidr,), (30000, 30003), Chance(2))
            server.assemble(allocate=pools.allocate)
            await story(Client(HandlerTransport(server.handle, None), builtin(), clock, memo=Memo()))

    asyncio.run(scenario())


def service(name: str, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "default"}, "spec": {"ports": PORTS, **spec}}


async def refused(call: Awaitable[Any], kind: type[StatusError]) -> str:
    with pytest.raises(kind) as error:
        await call
    return error.value.message


def test_a_service_gets_an_address_and_keeps_it() -> None:
    async def story(client: Client) -> None:
        made = await client.create(Service, service("a"))
        assert made.spec.clusterIP.startswith("10.96.0.")
        assert made.raw["spec"]["clusterIPs"] == [made.spec.clusterIP]
        assert (made.raw["spec"]["ipFamilies"], made.spec.ipFamilyPolicy) == (["IPv4"], "SingleStack")
        assert int(made.spec.clusterIP.rpartition(".")[2]) > 16, "the lower band is for those who name one"
        patched = await client.patch(Service, "a", "default", {"spec": {"selector": {"x": "y"}}})
        assert patched.spec.clusterIP == made.spec.clusterIP
        again = await client.update(Service, service("a"))
        assert again.spec.clusterIP == made.spec.clusterIP

    run(story)


def test_an_address_that_is_asked_for() -> None:
    async def story(client: Client) -> None:
        made = await client.create(Service, service("a", clusterIP="10.96.0.10"))
        assert made.spec.clusterIP == "10.96.0.10"
        why = await refused(client.create(Service, service("b", clusterIP="10.96.0.10")), Invalid)
        assert "spec.clusterIPs[0]: Invalid value" in why
        assert "failed to allocate IP 10.96.0.10: provided IP is already allocated" in why
        why = await refused(client.create(Service, service("b", clusterIP="10.97.0.1")), Invalid)
        assert "failed to allocate IP 10.97.0.1: the provided network does not match the current range" in why
        await client.delete(Service, "a", "default")
        assert (await client.create(Service, service("b", clusterIP="10.96.0.10"))).spec.clusterIP == "10.96.0.10"

    run(story)


def test_a_range_is_used_to_the_last_address() -> None:
    async def story(client: Client) -> None:
        made = [(await client.create(Service, service(f"s{n}"))).spec.clusterIP for n in range(6)]
        assert sorted(made) == [f"10.96.0.{n}" for n in range(1, 7)]
        why = await refused(client.create(Service, service("more")), InternalError)
        assert "failed to allocate a serviceIP: range is full" in why
        await client.delete(Service, "s3", "default")
        assert (await client.create(Service, service("more"))).spec.clusterIP == made[3]

    run(story, "10.96.0.0/29")


def test_types_without_an_address() -> None:
    async def story(client: Client) -> None:
        headless = await client.create(Service, service("h", clusterIP="None"))
        assert headless.raw["spec"]["clusterIPs"] == ["None"]
        named = await client.create(Service, service("n", type="ExternalName", externalName="example.com"))
        assert "clusterIP" not in named.raw["spec"]

    run(story)


def test_node_ports() -> None:
    async def story(client: Client) -> None:
        both = [{"name": "t", "port": 53, "protocol": "TCP"}, {"name": "u", "port": 53, "protocol": "UDP"}]
        made = await client.create(Service, service("dns", type="NodePort", ports=both))
        first, second = (port["nodePort"] for port in made.raw["spec"]["ports"])
        assert first == second, "one number for both protocols"
        asked = [{"port": 80, "nodePort": first}]
        why = await refused(client.create(Service, service("b", type="NodePort", ports=asked)), Invalid)
        assert f"spec.ports[0].nodePort: Invalid value: {first}: provided port is already allocated" in why
        asked = [{"port": 80, "nodePort": 80}]
        why = await refused(client.create(Service, service("b", type="NodePort", ports=asked)), Invalid)
        assert "The range of valid ports is 30000-30003" in why
        for name in "bcd":
            await client.create(Service, service(name, type="NodePort"))
        why = await refused(client.create(Service, service("e", type="NodePort")), InternalError)
        assert "failed to allocate a nodePort: range is full" in why
        await client.patch(Service, "b", "default", {"spec": {"type": "ClusterIP"}})
        await client.create(Service, service("e", type="NodePort"))

    run(story)


def test_what_is_refused_holds_nothing() -> None:
    async def story(client: Client) -> None:
        bad = service("bad", type="NodePort", sessionAffinity="Sometimes")
        for _ in range(10):
            await refused(client.create(Service, bad), Invalid)
        for name in "abcd":
            await client.create(Service, service(name, type="NodePort"))

    run(story)
