"""The garbage collector on a real API server, in virtual time."""

from collections.abc import Awaitable, Callable
from typing import Any

from pilothouse.api.machinery.view import JsonObject, View
from pilothouse.api.types.core_v1 import ConfigMap, Namespace
from pilothouse.controllers.garbage_collector import GarbageCollectorController
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.loop import run

SETTLED = 5.0
Story = Callable[["World"], Awaitable[None]]


class World:
    """ConfigMaps that own each other."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.client = cluster.client()

    async def make(self, name: str, *owners: JsonObject, namespace: str = "default", **meta: Any) -> JsonObject:
        """Create one; returns a reference to it."""
        meta |= {"name": name, "namespace": namespace, "ownerReferences": [*owners]}
        return reference(await self.client.create(ConfigMap, {"metadata": meta}, namespace), "v1", "ConfigMap")

    async def names(self, namespace: str = "default") -> list[str]:
        """Those there are, without what is there anyhow."""
        found = (await self.client.list(ConfigMap, namespace)).items
        return sorted(view.metadata.name for view in found)

    async def delete(self, name: str, propagation: str = "Background") -> None:
        await self.client.delete(ConfigMap, name, "default", propagation=propagation)

    async def settle(self, seconds: float = SETTLED) -> None:
        await self.cluster.clock.sleep(seconds)


def reference(view: View, api_version: str, kind: str, **more: Any) -> JsonObject:
    """An owner reference."""
    return {"apiVersion": api_version, "kind": kind, "name": view.metadata.name, "uid": view.metadata.uid, **more}


def play(story: Story) -> None:
    """Run a story on a bare server with the garbage collector."""

    async def main(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance, controllers=[GarbageCollectorController]) as cluster:
            world = World(cluster)
            await world.client.create(Namespace, {"metadata": {"name": "default"}})
            await world.settle()
            await story(world)

    run(main)


def test_dependents_go_after_their_owner() -> None:
    async def story(world: World) -> None:
        a = await world.make("a")
        b = await world.make("b", a)
        await world.make("c", b)
        await world.make("other")
        await world.settle()
        assert await world.names() == ["a", "b", "c", "other"]
        await world.delete("a")
        assert "a" not in await world.names()
        await world.settle()
        assert await world.names() == ["other"]

    play(story)
