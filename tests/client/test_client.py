from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest

from fakes.api import FakeApi
from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery import errors
from pilothouse.api.types.core_v1 import Binding, ConfigMap, Namespace, Node, Pod
from pilothouse.client.client import Client, PatchForm
from pilothouse.client.memo import Memo
from pilothouse.client.transport import HandlerTransport
from pilothouse.net.http import Request, Response
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.testing.loop import run


class Recorder:
    """Answers everything alike and keeps the requests."""

    def __init__(self, clock: LoopClock, *answers: Response) -> None:
        self.requests: list[Request] = []
        self._answers = list(answers) or [Response(200, b'{"metadata":{}}')]
        self.client = Client(HandlerTransport(self._handle, None), builtin(), clock, agent="kube-test", memo=Memo())

    async def _handle(self, request: Request) -> Response:
        self.requests.append(request)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


Call = Callable[[Client], Awaitable[Any]]
CALLS: list[tuple[str, Call, str, str, Any]] = [
    ("get", lambda c: c.get(Pod, "a", "ns"), "GET", "/api/v1/namespaces/ns/pods/a", None),
    ("get at", lambda c: c.get(Node, "n", resource_version="0"), "GET", "/api/v1/nodes/n?resourceVersion=0", None),
    ("list", lambda c: c.list(Pod), "GET", "/api/v1/pods", None),
    ("list some", lambda c: c.list(Pod, "ns", labels="a in (b,c)", fields="spec.nodeName=n", limit=5),
     "GET", "/api/v1/namespaces/ns/pods?labelSelector=a+in+%28b%2Cc%29&fieldSelector=spec.nodeName%3Dn&limit=5", None),
    ("create", lambda c: c.create(ConfigMap, {"metadata": {"name": "a", "namespace": "ns"}}),
     "POST", "/api/v1/namespaces/ns/configmaps",
     {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "ns"}}),
    ("bind",
     lambda c: c.create(Pod, {"kind": "Binding", "target": {"name": "n"}}, "ns", name="a", subresource="binding"),
     "POST", "/api/v1/namespaces/ns/pods/a/binding", {"kind": "Binding", "target": {"name": "n"}}),
    ("update", lambda c: c.update(Pod, {"metadata": {"name": "a", "namespace": "ns"}}, subresource="status"),
     "PUT", "/api/v1/namespaces/ns/pods/a/status",
     {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "ns"}}),
    ("apply", lambda c: c.apply(ConfigMap, {"metadata": {"name": "a", "namespace": "ns"}}, force=True),
     "PATCH", "/api/v1/namespaces/ns/configmaps/a?fieldManager=kube-test&force=true",
     {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "ns"}}),
    ("apply a status",
     lambda c: c.apply(Node, {"metadata": {"name": "n"}, "status": {}}, manager="m", subresource="status"),
     "PATCH", "/api/v1/nodes/n/status?fieldManager=m",
     {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}, "status": {}}),
    ("delete", lambda c: c.delete(Pod, "a", "ns", grace_period=0, uid="u", propagation="Background"),
     "DELETE", "/api/v1/namespaces/ns/pods/a",
     {"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0, "preconditions": {"uid": "u"},
      "propagationPolicy": "Background"}),
    ("delete many", lambda c: c.delete_collection(Pod, "ns", labels="a=b"),
     "DELETE", "/api/v1/namespaces/ns/pods?labelSelector=a%3Db", {"apiVersion": "v1", "kind": "DeleteOptions"}),
    ("namespace", lambda c: c.delete(Namespace, "x"), "DELETE", "/api/v1/namespaces/x",
     {"apiVersion": "v1", "kind": "DeleteOptions"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "call", "method", "target", "body"), CALLS, ids=[call[0] for call in CALLS])
def test_each_verb_is_the_right_request(name: str, call: Call, method: str, target: str, body: Any) -> None:
    async def main(clock: LoopClock, chance: Chance) -> Request:
        recorder = Recorder(clock)
        await call(recorder.client)
        return recorder.requests[0]

    request = run(main)
    assert (request.method, request.target) == (method, target)
    assert request.headers["user-agent"] == "kube-test"
    assert (orjson.loads(request.body) if request.body else None) == body  # type: ignore[arg-type]


@pytest.mark.parametrize("form", list(PatchForm))
def test_a_patch_says_its_form(form: PatchForm) -> None:
    async def main(clock: LoopClock, chance: Chance) -> Request:
        recorder = Recorder(clock)
        await recorder.client.patch(
            Pod, "a", "ns", {"metadata": {"labels": {"x": "y"}}}, form=form, subresource="status"
        )
        return recorder.requests[0]

    request = run(main)
    assert (request.method, request.target) == ("PATCH", "/api/v1/namespaces/ns/pods/a/status")
    assert request.headers["content-type"] == form.value


def test_an_empty_name_never_reaches_the_collection() -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        await Recorder(clock).client.delete(Pod, "", "ns")

    with pytest.raises(ValueError, match="name may not be empty"):
        run(main)


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (404, orjson.dumps(errors.not_found("pods", "", "a").status()), errors.NotFound, 'pods "a" not found'),
        (
            409,
            orjson.dumps(errors.conflict("pods", "", "a").status()),
            errors.Conflict,
            "Operation cannot be fulfilled",
        ),
        (502, b"<html>bad gateway</html>", errors.StatusError, "<html>bad gateway</html>"),
        (503, b"", errors.ServiceUnavailable, "the server answered 503"),
    ],
)
def test_errors_are_the_servers(status: int, body: bytes, kind: type[errors.StatusError], message: str) -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        await Recorder(clock, Response(status, body)).client.get(Pod, "a", "ns")

    with pytest.raises(kind) as caught:
        run(main)
    assert message in caught.value.message
    assert caught.value.code == status


def test_retry_after_is_followed() -> None:
    async def main(clock: LoopClock, chance: Chance) -> tuple[float, int]:
        busy = Response(429, b"", {"Retry-After": "7"})
        recorder = Recorder(clock, busy, busy, Response(200, b'{"metadata":{"name":"a"}}'))
        await recorder.client.get(Pod, "a", "ns")
        return clock.monotonic(), len(recorder.requests)

    assert run(main) == (14, 3)


def test_429_without_retry_after_is_an_error_at_once() -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        await Recorder(clock, Response(429, b"no")).client.get(Pod, "a", "ns")

    with pytest.raises(errors.TooManyRequests):
        run(main)


def test_one_copy_of_each_revision() -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        api = FakeApi(clock)
        client = api.client()
        created = await client.create(Pod, {"metadata": {"name": "a", "namespace": "ns"}})
        assert await client.get(Pod, "a", "ns") is created
        assert (await client.list(Pod)).items[0] is created
        changed = await client.patch(Pod, "a", "ns", {"metadata": {"labels": {"x": "y"}}})
        assert changed is not created
        assert "labels" not in created.metadata.raw

    run(main)


def test_items_of_a_list_know_their_kind() -> None:
    async def main(clock: LoopClock, chance: Chance) -> Pod:
        answer = Response(200, b'{"metadata":{"resourceVersion":"9"},"items":[{"metadata":{"name":"a"}}]}')
        page = await Recorder(clock, answer).client.list(Pod)
        assert page.resource_version == "9"
        return page.items[0]

    assert (run(main).apiVersion, run(main).kind) == ("v1", "Pod")


def test_a_watch_reads_lines_however_they_are_cut() -> None:
    events = [{"type": kind, "object": {"metadata": {"name": "a", "resourceVersion": str(number)}}}
              for number, kind in enumerate(("ADDED", "MODIFIED", "BOOKMARK", "DELETED"))]  # fmt: skip
    whole = b"".join(orjson.dumps(event) + b"\n" for event in events)

    async def main(clock: LoopClock, size: int) -> list[str]:
        pieces = [whole[start : start + size] for start in range(0, len(whole), size)]
        async with Recorder(clock, Response(200, pieces)).client.watch(Pod, "ns", resource_version="5") as stream:
            return [f"{event.type} {event.object.metadata.resourceVersion}" async for event in stream]

    for size in (1, 7, 50, 1000):
        assert run(lambda clock, _, size=size: main(clock, size)) == [  # type: ignore[misc]
            "ADDED 0", "MODIFIED 1", "BOOKMARK 2", "DELETED 3",
        ]  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        b'{"type":"ADDED","object":{"metadata":{"name":"a","resourceVersion":"1"}}}',
        b'{"type": "ADDED", "object": {"metadata": {"name": "a", "resourceVersion": "1"}} }',
        b'{"object":{"metadata":{"name":"a","resourceVersion":"1"}},"type":"ADDED"}',
    ],
)
def test_a_watch_reads_lines_however_they_are_written(line: bytes) -> None:
    async def main(clock: LoopClock, _: Chance) -> list[tuple[str, str]]:
        async with Recorder(clock, Response(200, [line + b"\n"])).client.watch(Pod) as stream:
            return [(event.type, event.object.metadata.name) async for event in stream]

    assert run(main) == [("ADDED", "a")]


@pytest.mark.parametrize("late", [False, True])
def test_a_watch_from_too_long_ago_is_expired(late: bool) -> None:
    status = errors.Expired("too old resource version: 1 (5)").status()
    answer = Response(200, orjson.dumps({"type": "ERROR", "object": status}) + b"\n")
    if not late:
        answer = Response(410, orjson.dumps(status))

    async def main(clock: LoopClock, chance: Chance) -> None:
        async with Recorder(clock, answer).client.watch(Pod, resource_version="1") as stream:
            async for _ in stream:
                pass

    with pytest.raises(errors.Expired):
        run(main)


def test_an_expired_page_tells_how_to_go_on() -> None:
    answer = Response(410, orjson.dumps(errors.Expired("too old", continue_token="onward").status()))

    async def main(clock: LoopClock, chance: Chance) -> None:
        await Recorder(clock, answer).client.list(Pod, limit=1, continue_token="old")

    with pytest.raises(errors.Expired) as refused:
        run(main)
    assert refused.value.continue_token == "onward"


def test_a_kind_may_be_given_as_its_resource() -> None:
    async def main(clock: LoopClock, chance: Chance) -> str:
        api = FakeApi(clock)
        api.add("v1", "ConfigMap", {"metadata": {"name": "a", "namespace": "ns"}})
        resource = builtin().find("", "v1", "configmaps")
        assert resource is not None
        found = await api.client().get(resource, "a", "ns")
        assert isinstance(found, ConfigMap)
        return found.metadata.name

    assert run(main) == "a"


def test_a_view_that_is_no_kind_is_refused() -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        assert Recorder(clock).client.resource(Binding).plural == "bindings"
        Recorder(clock).client.resource(type(Pod().spec))

    with pytest.raises(LookupError, match="PodSpec is not the view of a served kind"):
        run(main)
