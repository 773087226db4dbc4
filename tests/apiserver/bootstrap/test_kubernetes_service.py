"""The Service `kubernetes` leads to the servers that are there, on a store of one and on one that several share."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import ClassVar

import pytest

from fakes.served import schemas
from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.errors import Invalid
from pilothouse.api.types.core_v1 import Endpoints, Service
from pilothouse.api.types.discovery_v1 import EndpointSlice
from pilothouse.apiserver.allocation.services import ServiceAllocation
from pilothouse.apiserver.bootstrap.kubernetes_service import publish, published
from pilothouse.apiserver.server import ApiServer
from pilothouse.client.client import Client
from pilothouse.client.memo import Memo
from pilothouse.client.transport import HandlerTransport
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.store.interface import Listing, StoreError, Turn, Unavailable
from pilothouse.store.memory import MemoryStore
from pilothouse.testing.loop import run

Publish = Callable[[str], AbstractAsyncContextManager[None]]
Story = Callable[[Publish, Client, LoopClock, MemoryStore], Awaitable[None]]


class Shared(MemoryStore):
    """Says that others write to it too."""

    async def turn(self, name: str) -> Turn:
        raise Unavailable(name)


def tell(story: Story, store: type[MemoryStore] = Shared) -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        async with store(clock) as opened, ApiServer(opened, builtin(), schemas(), clock, chance) as server:
            server.assemble()
            client = Client(HandlerTransport(server.handle, None), builtin(), clock, memo=Memo())

            def enter(address: str) -> AbstractAsyncContextManager[None]:
                return published(client, opened, clock, cidr="10.96.0.0/16", address=address, port=6443)

            await story(enter, client, clock, opened)

    run(main)


async def addresses(client: Client) -> list[str]:
    """Where the Service leads, by its EndpointSlice, which its Endpoints agree with."""
    found = (await client.get(EndpointSlice, "kubernetes", "default")).raw
    older = (await client.get(Endpoints, "kubernetes", "default")).raw
    shown = [endpoint["addresses"][0] for endpoint in found["endpoints"]]
    assert [address["ip"] for address in older["subsets"][0]["addresses"]] == shown
    assert found["ports"][0]["port"] == older["subsets"][0]["ports"][0]["port"] == 6443
    return shown


def test_the_one_server_of_a_store_is_all_there_is() -> None:
    async def story(publish: Publish, client: Client, clock: LoopClock, store: MemoryStore) -> None:
        async with publish("192.0.2.1"):
            assert (await client.get(Service, "kubernetes", "default")).spec.clusterIP == "10.96.0.1"
            assert await addresses(client) == ["192.0.2.1"]
        async with publish("192.0.2.2"):
            before = await store.revision()
            assert await addresses(client) == ["192.0.2.2"]
            await clock.sleep(3600)
            assert await store.revision() == before, "nothing is written while nothing changes"

    tell(story, MemoryStore)


def test_servers_that_share_a_store_are_all_named_and_who_leaves_is_not() -> None:
    async def story(publish: Publish, client: Client, clock: LoopClock, store: MemoryStore) -> None:
        async with publish("192.0.2.2"):
            assert await addresses(client) == ["192.0.2.2"]
            async with publish("192.0.2.1"):
                assert await addresses(client) == ["192.0.2.1", "192.0.2.2"]
                await clock.sleep(100)
                assert await addresses(client) == ["192.0.2.1", "192.0.2.2"]
            assert await addresses(client) == ["192.0.2.2"]

    tell(story)


def test_a_server_that_dies_is_forgotten() -> None:
    async def story(publish: Publish, client: Client, clock: LoopClock, store: MemoryStore) -> None:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(publish("192.0.2.1"))
            await store.create("kube/masterleases/192.0.2.9", b"", ttl=15)
            await clock.sleep(11)
            assert await addresses(client) == ["192.0.2.1", "192.0.2.9"]
            await clock.sleep(10)
            assert await addresses(client) == ["192.0.2.1"]

    tell(story)


class Faulty(Shared):
    """Is asked for the servers once too late, and once fails."""

    answers: ClassVar[list[str]] = []

    async def list(self, prefix: str, *, start: str = "", limit: int = 0, revision: int | None = None) -> Listing:
        answer = self.answers.pop(0) if prefix.startswith("kube/") and self.answers else ""
        if answer == "refused":
            raise StoreError(answer)
        found = await super().list(prefix, start=start, limit=limit, revision=revision)
        return Listing([], found.revision) if answer == "late" else found


def test_a_store_that_fails_or_is_late_is_asked_again() -> None:
    async def story(publish: Publish, client: Client, clock: LoopClock, store: MemoryStore) -> None:
        async with publish("192.0.2.1"):
            Faulty.answers += ["late", "refused"]
            await store.create("kube/masterleases/192.0.2.9", b"", ttl=100)
            await clock.sleep(25)
            assert not Faulty.answers
            assert await addresses(client) == ["192.0.2.1"]
            await clock.sleep(10)
            assert await addresses(client) == ["192.0.2.1", "192.0.2.9"]

    tell(story, Faulty)


def test_an_address_that_another_service_has_is_told() -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        async with MemoryStore(clock) as store, ApiServer(store, builtin(), schemas(), clock, chance) as server:
            server.assemble(
                allocate=ServiceAllocation(server.cache, ("10.96.0.0/16",), (30000, 30001), chance).allocate
            )
            client = Client(HandlerTransport(server.handle, None), builtin(), clock, memo=Memo())
            spec = {"clusterIP": "10.96.0.1", "ports": [{"port": 1}]}
            await client.create(Service, {"metadata": {"name": "thief", "namespace": "default"}, "spec": spec})
            with pytest.raises(Invalid, match="provided IP is already allocated"):
                await publish(client, "10.96.0.0/16", ("192.0.2.1",), 6443)

    run(main)
