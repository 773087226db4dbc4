from collections.abc import Sequence

import pytest

from pilothouse.api.machinery.resource import Resource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import ConfigMap
from pilothouse.client.client import Page, WatchEvent
from pilothouse.client.discovery import Discovered, PartialObjectMetadata
from pilothouse.client.informer import Informers
from pilothouse.controllers.garbage_collector.graph import Graph, Outcome
from pilothouse.controllers.garbage_collector.monitors import Monitor, Monitors, deletable
from pilothouse.net.http import Request, Response
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.loop import run

ALL = ("create", "delete", "get", "list", "watch")


def _kind(plural: str, kind: str, group: str = "", verbs: Sequence[str] = ALL, version: str = "v1") -> Discovered:
    resource = Resource(kind=PartialObjectMetadata, group=group, version=version, plural=plural, verbs=tuple(verbs))
    return Discovered(resource, kind)


MAPS, SECRETS = _kind("configmaps", "ConfigMap"), _kind("secrets", "Secret")


@pytest.mark.parametrize(
    ("kind", "is_watched"),
    [
        (MAPS, True),
        (_kind("events", "Event"), False),
        (_kind("events", "Event", "events.k8s.io"), False),
        (_kind("events", "Event", "example.com"), True),
        (_kind("bindings", "Binding", verbs=["create"]), False),
        (_kind("a", "A", verbs=["delete", "list"]), False),
        (_kind("a", "A", verbs=["list", "watch"]), False),
    ],
)
def test_what_is_watched(kind: Discovered, is_watched: bool) -> None:
    assert deletable([kind]) == ([kind] if is_watched else [])


def _view(name: str, uid: str = "", **meta: object) -> PartialObjectMetadata:
    found: JsonObject = {"name": name, "namespace": "ns", "uid": uid or f"uid-{name}", **meta}
    return PartialObjectMetadata({"metadata": found})


def test_a_sink_turns_what_it_is_told_into_the_graph() -> None:
    graph, told = Graph(), list[Outcome]()

    async def story(_clock: LoopClock, _chance: Chance) -> None:
        monitor = Monitor(MAPS, graph, told.append)
        other = Monitor(SECRETS, graph, told.append)
        other.replace(Page((_view("secret"),), "1"))
        monitor.replace(Page((_view("a"), _view("b"), _view("c")), "1"))
        assert [*graph.nodes] == ["uid-secret", "uid-a", "uid-b", "uid-c"]
        monitor.change(WatchEvent("DELETED", _view("a")))
        monitor.change(WatchEvent("ADDED", _view("d")))
        monitor.change(WatchEvent("MODIFIED", _view("b", deletionTimestamp="t")))
        assert [*graph.nodes] == ["uid-secret", "uid-b", "uid-c", "uid-d"]
        assert graph.nodes["uid-b"].going
        monitor.replace(Page((_view("b", "another"), _view("d")), "9"))
        assert [*graph.nodes] == ["uid-secret", "uid-d", "another"]
        newer = Monitor(_kind("configmaps", "ConfigMap", version="v2"), graph, told.append)
        newer.replace(Page((_view("d"),), "10"))
        assert [(uid, node.identity.api_version) for uid, node in graph.nodes.items()] == [
            ("uid-secret", "v1"),
            ("uid-d", "v2"),
        ]

    run(story)


@pytest.mark.parametrize("is_shared", [True, False])
def test_kinds_come_and_go(is_shared: bool) -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance) as cluster, Tasks() as tasks:
            watches: list[str] = []
            handle = cluster.server.handle

            async def noted(request: Request) -> Response:
                if "watch=true" in request.target and "configmaps" in request.target:
                    watches.append(request.headers["accept"])
                return await handle(request)

            cluster.server.handle = noted  # type: ignore[method-assign]
            client = cluster.client()
            informers = Informers(client, clock, tasks)
            if is_shared:
                informers.of(ConfigMap)
            graph, told = Graph(), list[Outcome]()
            monitors = Monitors(informers, graph, told.append)

            async def make(name: str) -> None:
                await client.create(ConfigMap, {"metadata": {"name": name, "namespace": "ns"}})

            def names() -> list[str]:
                return [node.identity.name for node in graph.nodes.values()]

            await make("a")
            monitors.follow([MAPS])
            await monitors.synced()
            assert names() == ["a"]
            assert (informers.known(MAPS.resource) is not None) is is_shared
            await make("b")
            await clock.sleep(1)
            monitors.follow([MAPS, SECRETS])
            await client.delete(ConfigMap, "a", "ns")
            await clock.sleep(1)
            assert names() == ["b"]
            assert ["as=PartialObjectMetadata;" in form for form in watches] == [not is_shared]
            if not is_shared:
                monitors.follow([SECRETS])
                await clock.sleep(1)
                await make("c")
                await client.delete(ConfigMap, "b", "ns")
                await clock.sleep(1)
                assert names() == ["b"]
                monitors.follow([MAPS])
                await monitors.synced()
                assert names() == ["c"]

    run(story)
