from typing import Any

import orjson
import pytest

from pilothouse.api.machinery.errors import StatusError
from pilothouse.api.types.core_v1 import ConfigMap, Pod
from pilothouse.client.client import Client
from pilothouse.client.discovery import Discovery, PartialObjectMetadata, read_document
from pilothouse.client.memo import Memo
from pilothouse.client.transport import HandlerTransport
from pilothouse.net.http import Request, Response
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.testing.cluster import ADMIN, Cluster
from pilothouse.testing.loop import run


def _entry(plural: str, kind: str | None, *verbs: str, scope: str = "Namespaced") -> dict[str, Any]:
    found: dict[str, Any] = {"resource": plural, "scope": scope, "verbs": [*verbs]}
    return found | ({"responseKind": {"kind": kind}} if kind else {})


def _document(group: str, *versions: tuple[str, str, list[dict[str, Any]]]) -> dict[str, Any]:
    listed = [{"version": name, "freshness": fresh, "resources": entries} for name, fresh, entries in versions]
    return {"items": [{"metadata": {"name": group}, "versions": listed}]}


def test_a_document_is_read() -> None:
    entries = [_entry("webs", "Web", "get", "list"), _entry("nodes", "Node", scope="Cluster"), _entry("odd", None)]
    webs, nodes = read_document(_document("x.io", ("v1", "Current", entries)))
    assert (webs.kind, webs.api_version, webs.resource.path("ns", "a")) == (
        "Web", "x.io/v1", "/apis/x.io/v1/namespaces/ns/webs/a",
    )  # fmt: skip
    assert webs.resource.verbs == ("get", "list")
    assert (webs.resource.namespaced, nodes.resource.namespaced) == (True, False)


def test_what_cannot_be_told_at_the_moment_is_as_before() -> None:
    before = read_document(_document("x.io", ("v1", "Current", [_entry("a", "A")]), ("v2", "Current", [])))
    stale = _document("x.io", ("v1", "Stale", []), ("v2", "Current", [_entry("b", "B")]))
    assert [found.kind for found in read_document(stale, before)] == ["A", "B"]
    assert [found.kind for found in read_document(stale)] == ["B"]
    assert read_document({"items": []}, before) == ()


def test_a_server_is_asked_again_only_for_what_is_new() -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance) as cluster:
            answers: list[tuple[str, int]] = []

            async def handle(request: Request) -> Response:
                response = await cluster.server.handle(request)
                answers.append((request.target, response.status))
                return response

            transport = HandlerTransport(handle, ADMIN)
            discovery = Discovery(Client(transport, cluster.catalogue, clock, memo=Memo()))
            assert await discovery.refresh()
            pod = discovery.by_kind("v1", "Pod")
            assert pod is not None
            assert pod.resource.path("ns") == "/api/v1/namespaces/ns/pods"
            assert {"delete", "list", "watch"} <= set(pod.resource.verbs)
            node = discovery.by_kind("v1", "Node")
            assert node is not None
            assert not node.resource.namespaced
            assert discovery.by_kind("v1", "NoSuch") is None
            assert not await discovery.refresh()
            assert answers == [("/api", 200), ("/apis", 200), ("/api", 304), ("/apis", 304)]

    run(main)


def test_half_an_answer_is_none() -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance) as cluster:
            is_down = True

            async def handle(request: Request) -> Response:
                return (
                    Response(503, b"")
                    if is_down and request.target == "/apis"
                    else await cluster.server.handle(request)
                )

            transport = HandlerTransport(handle, ADMIN)
            discovery = Discovery(Client(transport, cluster.catalogue, clock, memo=Memo()))
            with pytest.raises(StatusError):
                await discovery.refresh()
            assert discovery.all() == []
            is_down = False
            assert await discovery.refresh()
            assert discovery.by_kind("v1", "Pod") is not None
            assert discovery.by_kind("apps/v1", "Deployment") is not None

    run(main)


def test_each_kind_is_preferred_in_one_version() -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        documents = {
            "/api": {"items": []},
            "/apis": _document(
                "x.io",
                ("v2", "Current", [_entry("a", "A")]),
                ("v1", "Current", [_entry("a", "A"), _entry("b", "B")]),
            ),
        }

        async def handle(request: Request) -> Response:
            return Response(200, orjson.dumps(documents[request.target]))

        async with Cluster(clock, chance) as cluster:
            discovery = Discovery(Client(HandlerTransport(handle, None), cluster.catalogue, clock, memo=Memo()))
            await discovery.refresh()
            assert [(one.api_version, one.kind) for one in discovery.preferred()] == [
                ("x.io/v2", "A"),
                ("x.io/v1", "B"),
            ]
            assert discovery.by_kind("x.io/v1", "A") is not None

    run(main)


def test_only_metadata_travels() -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance) as cluster:
            client = cluster.client()
            await client.create(ConfigMap, {"metadata": {"name": "a", "namespace": "ns"}, "data": {"k": "v"}})
            discovery = Discovery(client)
            await discovery.refresh()
            kind = discovery.by_kind("v1", "ConfigMap")
            assert kind is not None
            bare = client.metadata_only()
            one = await bare.get(kind.resource, "a", "ns")
            (listed,) = (await bare.list(kind.resource)).items
            async with bare.watch(kind.resource, resource_version="0") as events:
                watched = (await anext(events)).object
            for found in (one, listed, watched):
                assert isinstance(found, PartialObjectMetadata)
                assert found.metadata.name == "a"
                assert "data" not in found.raw
            assert (await client.get(ConfigMap, "a", "ns")).data == {"k": "v"}
            assert (await client.list(Pod)).items == ()

    run(main)
