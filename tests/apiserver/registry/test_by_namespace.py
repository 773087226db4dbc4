"""Entries by namespace."""

from functools import cache

from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.schema import Schemas
from pilothouse.api.types.core_v1 import ConfigMap
from pilothouse.apiserver.registry.by_namespace import ByNamespace
from pilothouse.apiserver.server import ApiServer
from pilothouse.client.client import Client
from pilothouse.client.memo import Memo
from pilothouse.client.transport import HandlerTransport
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.store.memory import MemoryStore
from pilothouse.testing.loop import run


@cache
def schemas() -> Schemas:
    return Schemas()


def test_it_follows_what_is_there_and_what_comes() -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        async with MemoryStore(clock) as store, ApiServer(store, builtin(), schemas(), clock, chance) as server:
            server.assemble()
            client = Client(HandlerTransport(server.handle, None), builtin(), clock, memo=Memo())
            await client.create(ConfigMap, {"metadata": {"name": "b", "namespace": "x"}})
            found = ByNamespace(server.cache.of("", "configmaps"))
            await client.create(ConfigMap, {"metadata": {"name": "a", "namespace": "x"}})
            await client.create(ConfigMap, {"metadata": {"name": "a", "namespace": "y"}})
            assert [entry.name for entry in found.of("x")] == ["a", "b"]
            await client.update(ConfigMap, {"metadata": {"name": "a", "namespace": "x"}, "data": {"k": "v"}})
            assert found.of("x")[0].kept()["data"] == {"k": "v"}
            await client.delete(ConfigMap, "a", "y")
            assert "x" in found
            assert "y" not in found
            assert found.of("y") == []

    run(main)
