"""The API server as clients see it, in process on the memory store."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest

from fakes.etcd import new_prefix
from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.schema import Schemas
from pilothouse.apiserver.server import ApiServer
from pilothouse.client.transport import Answer, HandlerTransport
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import SystemClock
from pilothouse.store.etcd.store import EtcdStore
from pilothouse.store.interface import Store
from pilothouse.store.memory import MemoryStore
from pilothouse.store.sqlite import SqliteStore

Run = Callable[[Callable[["Api"], Awaitable[None]]], None]
JSON = {"content-type": "application/json", "user-agent": "test/1"}
PATCH = {"strategic": "strategic-merge-patch", "merge": "merge-patch", "json": "json-patch"}
MAPS = "/api/v1/namespaces/default/configmaps"
PODS = "/api/v1/namespaces/default/pods"


@cache
def schemas() -> Schemas:
    return Schemas()


class Api:
    def __init__(self, server: ApiServer) -> None:
        self.server = server
        self.transport = HandlerTransport(server.handle, None)

    async def ask(self, method: str, target: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        answer = await self.raw(method, target, body, **headers)
        return answer.status, orjson.loads(answer.body)

    async def raw(self, method: str, target: str, body: Any = None, **headers: str) -> Answer:
        sent = JSON | {name.replace("_", "-"): value for name, value in headers.items()}
        encoded = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        return await self.transport.send(method, target, sent, encoded)

    async def patch(self, target: str, patch: Any, form: str = "merge") -> tuple[int, Any]:
        return await self.ask("PATCH", target, patch, content_type=f"application/{PATCH[form]}+json")


@pytest.fixture(params=["memory", "sqlite", "etcd"])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Run:
    """Runs a story on a server of its own, on each store."""

    def store(clock: SystemClock) -> AbstractAsyncContextManager[Store]:
        if request.param == "etcd":
            return EtcdStore(request.getfixturevalue("etcd").urls, clock, prefix=new_prefix())
        return MemoryStore(clock) if request.param == "memory" else SqliteStore(tmp_path / "state.db", clock)

    def runs(story: Callable[[Api], Awaitable[None]]) -> None:
        async def scenario() -> None:
            clock = SystemClock()
            async with store(clock) as opened, ApiServer(opened, builtin(), schemas(), clock, Chance(1)) as server:
                server.assemble()
                await story(Api(server))

        asyncio.run(scenario())

    return runs


def config_map(name: str = "a", **data: str) -> dict[str, Any]:
    return {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": name}, "data": data}


def pod(name: str = "web", **spec: Any) -> dict[str, Any]:
    container = {"name": "c", "image": "example:1"}
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"containers": [container], **spec},
    }


def test_an_object_lives_and_goes(run: Run) -> None:
    async def story(api: Api) -> None:
        status, made = await api.ask("POST", MAPS, config_map(k="1"))
        assert status == 201
        assert made["metadata"]["uid"]
        assert made["metadata"]["resourceVersion"]
        assert made["metadata"]["namespace"] == "default"
        assert [entry["manager"] for entry in made["metadata"]["managedFields"]] == ["test"]
        assert await api.ask("GET", f"{MAPS}/a") == (200, made)
        status, patched = await api.patch(f"{MAPS}/a", {"data": {"l": "2"}})
        assert (status, patched["data"]) == (200, {"k": "1", "l": "2"})
        assert await api.ask("PUT", f"{MAPS}/a", made) == (409, conflict("a"))
        status, put = await api.ask("PUT", f"{MAPS}/a", config_map(k="3"))
        assert (status, put["data"]) == (200, {"k": "3"})
        assert put["metadata"]["uid"] == made["metadata"]["uid"]
        status, gone = await api.ask("DELETE", f"{MAPS}/a")
        assert (status, gone["status"], gone["details"]["name"]) == (200, "Success", "a")
        status, error = await api.ask("GET", f"{MAPS}/a")
        assert (status, error["reason"], error["message"]) == (404, "NotFound", 'configmaps "a" not found')

    run(story)


def conflict(name: str) -> dict[str, Any]:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": f'Operation cannot be fulfilled on configmaps "{name}": the object has been modified; '
        "please apply your changes to the latest version and try again",
        "reason": "Conflict",
        "details": {"name": name, "kind": "configmaps"},
        "code": 409,
    }


@pytest.mark.parametrize(
    ("method", "target", "body", "status", "message"),
    [
        ("POST", MAPS, b"{", 400, "unexpected end of JSON input"),
        ("POST", MAPS, {"kind": "Secret", "apiVersion": "v1"}, 400, "cannot be handled as a ConfigMap"),
        ("POST", MAPS, config_map("Bad_Name"), 422, 'ConfigMap "Bad_Name" is invalid: metadata.name'),
        ("POST", MAPS, {**config_map(), "metadata": {"name": "a", "namespace": "other"}}, 400, "the namespace of the"),
        ("POST", MAPS + "?fieldValidation=Strict", {**config_map(), "datum": {}}, 400, 'unknown field "datum"'),
        ("POST", MAPS + "?dryRun=Some", config_map(), 422, 'CreateOptions.meta.k8s.io "" is invalid: dryRun'),
        ("PUT", f"{MAPS}/b", config_map("c"), 400, "the name of the object (c) does not match the name on the URL (b)"),
        ("PUT", f"{MAPS}/b", config_map("b"), 404, 'configmaps "b" not found'),
        ("DELETE", f"{MAPS}/b", None, 404, 'configmaps "b" not found'),
        ("GET", MAPS + "?labelSelector=%21%21", None, 400, "unable to parse requirement"),
        ("GET", MAPS + "?fieldSelector=spec.x%3D1", None, 400, "field label not supported: spec.x"),
        ("GET", MAPS + "?continue=nonsense", None, 400, "continue key is not valid"),
        ("GET", MAPS + "?resourceVersion=x", None, 422, "resourceVersion: Invalid value"),
        ("POST", "/api/v1/configmaps", config_map(), 405, "the server does not allow this method"),
        ("POST", f"{MAPS}/another", config_map(), 405, "the server does not allow this method"),
        ("PUT", MAPS, config_map(), 405, "the server does not allow this method"),
        ("PATCH", MAPS, {}, 405, "the server does not allow this method"),
        ("POST", "/api/v1/namespaces/another", {}, 405, "the server does not allow this method"),
        ("POST", "/api/v1/watch/namespaces/default/configmaps/a", config_map(), 405, "the server does not allow"),
        ("DELETE", "/api/v1/watch/namespaces/default/configmaps", None, 405, "the server does not allow this method"),
    ],
)
def test_bad_requests(run: Run, method: str, target: str, body: Any, status: int, message: str) -> None:
    async def story(api: Api) -> None:
        found, error = await api.ask(method, target, body)
        assert (found, error["code"]) == (status, status)
        assert message in error["message"]
        assert (await api.ask("GET", MAPS))[1]["items"] == [], "nothing half-made stays"

    run(story)


def test_a_list_is_paged_at_one_revision(run: Run) -> None:
    async def story(api: Api) -> None:
        for name in "abcde":
            await api.ask("POST", MAPS, config_map(name))
        _, first = await api.ask("GET", MAPS + "?limit=2")
        assert [item["metadata"]["name"] for item in first["items"]] == ["a", "b"]
        assert first["metadata"]["remainingItemCount"] == 3
        await api.ask("DELETE", f"{MAPS}/d")
        token = first["metadata"]["continue"]
        _, rest = await api.ask("GET", f"{MAPS}?continue={token}")
        assert [item["metadata"]["name"] for item in rest["items"]] == ["c", "d", "e"], "d was there at the revision"
        assert rest["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
        _, now = await api.ask("GET", MAPS)
        assert [item["metadata"]["name"] for item in now["items"]] == ["a", "b", "c", "e"]

    run(story)


def test_a_watch_shows_what_a_selection_gains_and_loses(run: Run) -> None:
    async def story(api: Api) -> None:
        _, before = await api.ask("GET", MAPS)
        revision = before["metadata"]["resourceVersion"]
        target = f"{MAPS}?watch=1&resourceVersion={revision}&labelSelector=app%3Dx"
        async with api.transport.stream("GET", target, {}) as answer:
            events = _events(answer.body)
            await api.ask("POST", MAPS, config_map("other"))
            made = config_map("mine")
            made["metadata"]["labels"] = {"app": "x"}
            await api.ask("POST", MAPS, made)
            await api.patch(f"{MAPS}/mine", {"data": {"k": "v"}})
            await api.patch(f"{MAPS}/mine", {"metadata": {"labels": {"app": "y"}}})
            seen = [await anext(events) for _ in range(3)]
        assert [event["type"] for event in seen] == ["ADDED", "MODIFIED", "DELETED"]
        assert seen[2]["object"]["metadata"]["labels"] == {"app": "x"}, "as it was while it was selected"
        assert int(seen[2]["object"]["metadata"]["resourceVersion"]) > int(
            seen[1]["object"]["metadata"]["resourceVersion"]
        )

    run(story)


async def _events(body: Any) -> Any:
    rest = b""
    async for piece in body:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if line:
                yield orjson.loads(line)


def test_a_watch_frame_is_encoded_once_for_all_watchers(run: Run) -> None:
    async def story(api: Api) -> None:
        streams = [api.transport.stream("GET", MAPS + "?watch=1", {}) for _ in range(20)]
        bodies = [aiter((await stream.__aenter__()).body) for stream in streams]
        for body in bodies:
            assert await anext(body) == b""
        await api.ask("POST", MAPS, config_map())
        frames = [await anext(body) for body in bodies]
        assert orjson.loads(frames[0])["type"] == "ADDED"
        assert all(frame is frames[0] for frame in frames), "one encoding, one copy"
        for stream in streams:
            await stream.__aexit__(None, None, None)

    run(story)


def test_a_pod_is_bound_once_and_ends_in_grace(run: Run) -> None:
    async def story(api: Api) -> None:
        status, made = await api.ask("POST", PODS, pod())
        assert (status, made["status"]["phase"], made["status"]["qosClass"]) == (201, "Pending", "BestEffort")
        assert made["metadata"]["generation"] == 1
        binding = {
            "kind": "Binding",
            "apiVersion": "v1",
            "metadata": {"name": "web"},
            "target": {"kind": "Node", "name": "n"},
        }
        assert (await api.ask("POST", f"{PODS}/web/binding", binding))[0] == 201
        status, refused = await api.ask("POST", f"{PODS}/web/binding", binding)
        assert (status, refused["reason"]) == (409, "Conflict")
        assert 'pod web is already assigned to node "n"' in refused["message"]
        _, bound = await api.ask("GET", f"{PODS}/web")
        assert bound["spec"]["nodeName"] == "n"
        assert bound["metadata"]["generation"] == 1
        assert [(c["type"], c["status"]) for c in bound["status"]["conditions"]] == [("PodScheduled", "True")]
        _, running = await api.patch(f"{PODS}/web/status", {"status": {"phase": "Running"}}, "strategic")
        assert running["status"]["phase"] == "Running"
        _, selected = await api.ask("GET", "/api/v1/pods?fieldSelector=spec.nodeName%3Dn")
        assert [item["metadata"]["name"] for item in selected["items"]] == ["web"]
        status, ending = await api.ask("DELETE", f"{PODS}/web")
        assert (status, ending["metadata"]["deletionGracePeriodSeconds"]) == (200, 30)
        assert (await api.ask("GET", f"{PODS}/web"))[0] == 200, "the kubelet has still to end it"
        now = {"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0}
        status, gone = await api.ask("DELETE", f"{PODS}/web", now)
        assert (status, gone["kind"]) == (200, "Pod")
        assert (await api.ask("GET", f"{PODS}/web"))[0] == 404

    run(story)


def test_a_binding_may_name_the_pod_itself(run: Run) -> None:
    async def story(api: Api) -> None:
        await api.ask("POST", PODS, pod())
        path = "/api/v1/namespaces/default/bindings"
        target = {"kind": "Node", "name": "n"}
        status, error = await api.ask("POST", path, {"metadata": {}, "target": target})
        assert (status, error["message"]) == (400, "name must be provided")
        status, error = await api.ask("POST", path, {"metadata": {"name": "web"}, "target": {"kind": "Moon"}})
        assert (status, error["reason"]) == (422, "Invalid")
        assert (await api.ask("POST", path, {"metadata": {"name": "web"}, "target": target}))[0] == 201
        assert (await api.ask("GET", f"{PODS}/web"))[1]["spec"]["nodeName"] == "n"

    run(story)


def test_finalizers_hold_an_object_until_the_last_is_gone(run: Run) -> None:
    async def story(api: Api) -> None:
        held = config_map()
        held["metadata"]["finalizers"] = ["example.com/hold"]
        await api.ask("POST", MAPS, held)
        status, marked = await api.ask("DELETE", f"{MAPS}/a")
        assert status == 200
        assert marked["metadata"]["deletionTimestamp"]
        status, error = await api.patch(
            f"{MAPS}/a", {"metadata": {"finalizers": ["example.com/hold", "example.com/new"]}}
        )
        assert status == 422
        assert "no new finalizers can be added if the object is being deleted" in error["message"]
        await api.patch(f"{MAPS}/a", {"metadata": {"finalizers": None}})
        assert (await api.ask("GET", f"{MAPS}/a"))[0] == 404

    run(story)


def test_a_dry_run_changes_nothing(run: Run) -> None:
    async def story(api: Api) -> None:
        status, made = await api.ask("POST", MAPS + "?dryRun=All", config_map())
        assert (status, made["metadata"]["name"]) == (201, "a")
        assert (await api.ask("GET", f"{MAPS}/a"))[0] == 404
        await api.ask("POST", MAPS, config_map(k="1"))
        revision = (await api.ask("GET", f"{MAPS}/a"))[1]["metadata"]["resourceVersion"]
        status, patched = await api.patch(f"{MAPS}/a?dryRun=All", {"data": {"k": "2"}})
        assert (status, patched["data"]) == (200, {"k": "2"})
        assert (await api.ask("DELETE", f"{MAPS}/a?dryRun=All"))[0] == 200
        _, kept = await api.ask("GET", f"{MAPS}/a")
        assert (kept["data"], kept["metadata"]["resourceVersion"]) == ({"k": "1"}, revision)

    run(story)


def test_a_patch_that_changes_nothing_writes_nothing(run: Run) -> None:
    async def story(api: Api) -> None:
        _, made = await api.ask("POST", MAPS, config_map(k="1"))
        assert await api.patch(f"{MAPS}/a", {"data": {"k": "1"}}) == (200, made)
        assert await api.ask("PUT", f"{MAPS}/a", made) == (200, made)

    run(story)


def test_a_deployment_is_scaled(run: Run) -> None:
    async def story(api: Api) -> None:
        template = {"metadata": {"labels": {"app": "x"}}, "spec": pod()["spec"]}
        body = {"metadata": {"name": "x"}, "spec": {"selector": {"matchLabels": {"app": "x"}}, "template": template}}
        path = "/apis/apps/v1/namespaces/default/deployments"
        status, made = await api.ask("POST", path, body)
        assert (status, made["spec"]["replicas"], made["metadata"]["generation"]) == (201, 1, 1)
        status, scale = await api.ask("GET", f"{path}/x/scale")
        assert (status, scale["spec"], scale["status"]["selector"]) == (200, {"replicas": 1}, "app=x")
        status, scale = await api.patch(f"{path}/x/scale", {"spec": {"replicas": 5}})
        assert (status, scale["spec"]["replicas"]) == (200, 5)
        _, scaled = await api.ask("GET", f"{path}/x")
        assert (scaled["spec"]["replicas"], scaled["metadata"]["generation"]) == (5, 2)
        _, status_written = await api.patch(f"{path}/x/status", {"status": {"replicas": 3}, "spec": {"replicas": 9}})
        assert (status_written["spec"]["replicas"], status_written["status"]["replicas"]) == (5, 3)

    run(story)


def test_tables_and_metadata_alone(run: Run) -> None:
    async def story(api: Api) -> None:
        await api.ask("POST", PODS, pod())
        _, table = await api.ask("GET", PODS, accept="application/json;as=Table;v=v1;g=meta.k8s.io,application/json")
        assert [column["name"] for column in table["columnDefinitions"]][:3] == ["Name", "Ready", "Status"]
        assert table["rows"][0]["cells"][:3] == ["web", "0/1", "Pending"]
        _, partial = await api.ask(
            "GET", f"{PODS}/web", accept="application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
        )
        assert (partial["kind"], "spec" in partial) == ("PartialObjectMetadata", False)
        status, error = await api.ask("GET", PODS, accept="text/html")
        assert (status, error["reason"]) == (406, "NotAcceptable")

    run(story)


def test_fields_that_are_called_otherwise_where_they_are_stored(run: Run) -> None:
    events = "/apis/events.k8s.io/v1/namespaces/default/events"
    event = {
        "metadata": {"name": "e"}, "regarding": {"namespace": "default", "name": "web"}, "reportingController": "me",
        "reportingInstance": "here", "eventTime": "2026-01-01T00:00:00.000000Z", "action": "Do", "reason": "Test",
        "type": "Normal",
    }  # fmt: skip

    async def story(api: Api) -> None:
        await api.ask("POST", events, event)
        for wanted in ("reportingController=me", "regarding.name=web", "reason=Test"):
            _, found = await api.ask("GET", f"{events}?fieldSelector={wanted}")
            assert [item["metadata"]["name"] for item in found["items"]] == ["e"], wanted
            _, others = await api.ask("GET", f"{events}?fieldSelector={wanted}x")
            assert others["items"] == []
        status, _ = await api.ask("GET", f"{events}?fieldSelector=reportingComponent=me")
        assert status == 400

    run(story)


def test_names_are_generated(run: Run) -> None:
    async def story(api: Api) -> None:
        body = {"metadata": {"generateName": "x-"}}
        names = {(await api.ask("POST", MAPS, body))[1]["metadata"]["name"] for _ in range(20)}
        assert len(names) == 20
        assert all(name.startswith("x-") and len(name) == 7 for name in names)

    run(story)


def test_a_namespace_waits_for_its_finalizers(run: Run) -> None:
    async def story(api: Api) -> None:
        status, made = await api.ask("POST", "/api/v1/namespaces", {"metadata": {"name": "n"}})
        assert (status, made["spec"]["finalizers"], made["status"]["phase"]) == (201, ["kubernetes"], "Active")
        _, marked = await api.ask("DELETE", "/api/v1/namespaces/n")
        assert marked["status"]["phase"] == "Terminating"
        status, again = await api.ask("DELETE", "/api/v1/namespaces/n")
        assert (status, again["reason"]) == (409, "Conflict")
        marked["spec"]["finalizers"] = []
        assert (await api.ask("PUT", "/api/v1/namespaces/n/finalize", marked))[0] == 200
        assert (await api.ask("GET", "/api/v1/namespaces/n"))[0] == 404

    run(story)


def test_the_same_event_in_two_groups(run: Run) -> None:
    async def story(api: Api) -> None:
        event = {"metadata": {"name": "e"}, "involvedObject": {"namespace": "default"}, "reason": "R", "message": "m"}
        status, _ = await api.ask("POST", "/api/v1/namespaces/default/events", event)
        assert status == 201
        _, other = await api.ask("GET", "/apis/events.k8s.io/v1/namespaces/default/events/e")
        assert (other["apiVersion"], other["note"]) == ("events.k8s.io/v1", "m")

    run(story)


@pytest.mark.parametrize(
    ("target", "accept", "expected"),
    [
        ("/api", "", {"kind": "APIVersions"}),
        ("/apis", "", {"kind": "APIGroupList"}),
        ("/apis/apps", "", {"name": "apps"}),
        ("/api/v1", "", {"groupVersion": "v1"}),
        (
            "/apis",
            "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
            {"kind": "APIGroupDiscoveryList"},
        ),
        ("/version", "", {"major": "1", "minor": "37"}),
        ("/openapi/v3", "", {}),
        ("/openapi/v3/apis/apps/v1", "", {"openapi": "3.0.0"}),
    ],
)
def test_documents(run: Run, target: str, accept: str, expected: dict[str, Any]) -> None:
    async def story(api: Api) -> None:
        status, document = await api.ask("GET", target, accept=accept)
        assert status == 200
        assert document.items() >= expected.items()

    run(story)


def test_health(run: Run) -> None:
    async def story(api: Api) -> None:
        assert (await api.raw("GET", "/readyz")).body == b"ok"
        assert b"[+]ping ok" in (await api.raw("GET", "/livez?verbose")).body
        assert (await api.raw("GET", "/nothing")).status == 404

    run(story)
