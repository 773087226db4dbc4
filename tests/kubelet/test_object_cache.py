"""What pods refer to is watched while they do, on a real API server."""

from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from kubelet.observing import pod
from pilothouse.api.types.core_v1 import ConfigMap, Secret
from pilothouse.client.client import Client
from pilothouse.kubelet.object_cache import CachedObjects, ObjectCache
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock, LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.loop import run

POD = pod(volumes=[{"name": "v", "configMap": {"name": "c"}}, {"name": "s", "secret": {"secretName": "s"}}])
OTHER = pod(metadata={"uid": "uid-other"}, volumes=[{"name": "v", "configMap": {"name": "c"}}])


class Place:
    """A cache, with what it read and whom it poked."""

    def __init__(self, client: Client, clock: Clock, chance: Chance, tasks: Tasks, most: int) -> None:
        self.client = client
        self.clock = clock
        self.poked: list[str] = []
        self.reads: Counter[str] = Counter()
        get = client.get

        async def counting(kind: Any, name: str, *given: Any, **more: Any) -> Any:
            self.reads[name] += 1
            return await get(kind, name, *given, **more)

        client.get = counting  # type: ignore[method-assign]
        self.cache = ObjectCache(client, clock, chance, tasks, most=most)
        self.cache.on_newer(self.poked.append)

    async def make(self, kind: type[Any], name: str, **fields: Any) -> None:
        await self.client.create(kind, {"metadata": {"name": name, "namespace": "default"}, **fields})

    async def data(self, name: str = "c") -> dict[str, str] | None:
        found = await self.cache.get(ConfigMap, "default", name)
        return None if found is None else dict(found.data)


def story(told: Callable[[Place], Coroutine[Any, Any, None]], most: int = 9) -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance) as cluster, Tasks() as tasks:
            await told(Place(cluster.client(), clock, chance, tasks, most))

    run(main)


def test_what_is_watched_is_not_read_again_and_its_pods_are_poked() -> None:
    async def told(place: Place) -> None:
        await place.make(ConfigMap, "c", data={"a": "1"})
        place.cache.hold(POD)
        place.cache.hold(OTHER)
        assert await place.data() == {"a": "1"}
        await place.clock.sleep(1)
        reads = place.reads["c"]
        assert await place.data() == {"a": "1"}
        assert place.poked == []
        await place.client.patch(ConfigMap, "c", "default", {"data": {"a": "2"}})
        await place.clock.sleep(1)
        assert place.poked == ["uid-web", "uid-other"]
        assert await place.data() == {"a": "2"}
        await place.client.delete(ConfigMap, "c", "default")
        await place.clock.sleep(1)
        assert await place.data() is None
        await place.make(ConfigMap, "c", data={"a": "3"})
        await place.clock.sleep(1)
        assert await place.data() == {"a": "3"}
        assert place.poked == ["uid-web", "uid-other"] * 3
        assert place.reads["c"] == reads

    story(told)


def test_what_was_not_there_is_told_of_when_it_comes() -> None:
    async def told(place: Place) -> None:
        objects = CachedObjects(place.client, None, place.cache)  # type: ignore[arg-type]
        place.cache.hold(POD)
        assert await objects.secret("default", "s") is None
        await place.clock.sleep(1)
        await place.make(Secret, "s", stringData={"a": "b"})
        await place.clock.sleep(1)
        assert place.poked == ["uid-web"]
        assert await objects.secret("default", "s") is not None
        assert await objects.config_map("default", "c") is None

    story(told)


@pytest.mark.parametrize("most", [9, 0])
def test_what_cannot_change_is_read_once(most: int) -> None:
    async def told(place: Place) -> None:
        await place.make(ConfigMap, "c", data={"a": "1"}, immutable=True)
        place.cache.hold(POD)
        for _ in range(3):
            assert await place.data() == {"a": "1"}
            await place.clock.sleep(1)
        assert place.reads["c"] == 1
        assert place.cache._entries[ConfigMap, "default", "c"].task is None
        await place.client.delete(ConfigMap, "c", "default")
        await place.clock.sleep(1)
        assert await place.data() == {"a": "1"}
        assert place.poked == []
        place.cache.on_change(POD, None)
        assert await place.data() is None

    story(told, most)


def test_what_has_no_watch_is_read_each_time() -> None:
    async def told(place: Place) -> None:
        await place.make(ConfigMap, "c", data={"a": "1"})
        place.cache.hold(POD)
        for text in ("1", "2"):
            await place.client.patch(ConfigMap, "c", "default", {"data": {"a": text}})
            assert await place.data() == {"a": text}
            assert await place.data("of-nobody") is None
            await place.clock.sleep(1)

    story(told, most=0)


def test_a_watch_ends_with_the_last_pod_that_needs_it() -> None:
    async def told(place: Place) -> None:
        place.cache.on_change(None, POD)
        place.cache.on_change(None, OTHER)
        place.cache.on_change(OTHER, POD)
        watches = [entry.task for entry in place.cache._entries.values()]
        assert len(watches) == 2
        await place.clock.sleep(1)
        place.cache.on_change(POD, OTHER)
        assert list(place.cache._entries) == [(ConfigMap, "default", "c")]
        place.cache.on_change(OTHER, None)
        await place.clock.sleep(0)
        assert place.cache._entries == {}
        assert all(task is not None and task.cancelled() for task in watches)

    story(told)
