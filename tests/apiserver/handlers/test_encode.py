"""A server asked in protobuf: objects, lists, watches, errors, and whatever else is made as JSON."""

from typing import Any

import orjson
import pytest

from fakes.served import MAPS, Api, run
from pilothouse.api.machinery.codec import protobuf, yaml
from pilothouse.api.machinery.codec.protobuf.wire import entries
from pilothouse.apiserver.registry import resource_cache
from pilothouse.client.transport import Answer

PB = protobuf.MEDIA_TYPE
META = ";v=v1;g=meta.k8s.io"
JSON, YAML = "application/json", "application/yaml"


async def ask(api: Api, method: str, target: str, body: Any = None, *, accept: str = PB, sent: str = PB) -> Answer:
    encoded = b"" if body is None else protobuf.encode(body) if sent == PB else orjson.dumps(body)
    return await api.send(method, target, {"accept": accept, "content-type": sent}, encoded)


def made(name: str) -> dict[str, Any]:
    return {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": name}, "data": {"k": name}}


def decoded(answer: Answer) -> dict[str, Any]:
    assert answer.headers["content-type"] == PB
    return protobuf.decode(answer.body)


def frames(data: bytes) -> list[tuple[bytes, dict[str, Any]]]:
    found = []
    while data:
        size = int.from_bytes(data[:4], "big")
        event: dict[int, Any] = {number: value for number, _, value in entries(data[4 : 4 + size])}
        ((_, _, raw),) = entries(event[2])
        assert isinstance(raw, bytes)
        found.append((event[1], protobuf.decode(raw)))
        data = data[4 + size :]
    return found


def test_an_object_and_a_list_say_what_they_say_in_json() -> None:
    async def story(api: Api) -> None:
        created = await ask(api, "POST", MAPS, made("a"))
        assert created.status == 201
        await ask(api, "POST", MAPS, made("b"))
        _, wanted = await api.ask("GET", f"{MAPS}/a")
        assert decoded(await ask(api, "GET", f"{MAPS}/a")) == decoded(created) == wanted
        replaced = decoded(await ask(api, "PUT", f"{MAPS}/a", wanted | {"data": {"k": "new"}}))
        assert replaced["data"] == {"k": "new"}
        listed = decoded(await ask(api, "GET", f"{MAPS}?limit=1"))
        _, wanted = await api.list("limit=1")
        bare = [{key: item[key] for key in item if key not in ("kind", "apiVersion")} for item in wanted["items"]]
        assert listed == wanted | {"items": bare}
        assert listed["metadata"]["remainingItemCount"] == 1

    run(story)


def test_metadata_alone() -> None:
    async def story(api: Api) -> None:
        await api.make("a")
        accept = f"{PB};as=PartialObjectMetadata{META},{JSON}"
        one = decoded(await ask(api, "GET", f"{MAPS}/a", accept=accept))
        assert (one["kind"], one["apiVersion"], one["metadata"]["name"]) == (
            "PartialObjectMetadata",
            "meta.k8s.io/v1",
            "a",
        )
        accept = f"{PB};as=PartialObjectMetadataList{META},{JSON}"
        many = decoded(await ask(api, "GET", MAPS, accept=accept))
        assert (many["kind"], [item.keys() for item in many["items"]]) == ("PartialObjectMetadataList", [{"metadata"}])
        table = await ask(api, "GET", MAPS, accept=f"{PB};as=Table{META},{JSON};as=Table{META}")
        assert orjson.loads(table.body)["kind"] == "Table"

    run(story)


def test_a_watch_is_a_frame_an_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource_cache, "RING_SIZE", 2)

    async def story(api: Api) -> None:
        await api.make("old")
        query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
        async with api.stream("GET", f"{MAPS}?{query}", {"accept": f"{PB};stream=watch"}) as stream:
            assert stream.headers["content-type"] == f"{PB};stream=watch"
            body = aiter(stream.body)
            (added, old), (marked, mark) = frames(await anext(body))
            assert (added, old) == (b"ADDED", (await api.ask("GET", f"{MAPS}/old"))[1])
            assert (marked, mark["metadata"]["annotations"]) == (b"BOOKMARK", {"k8s.io/initial-events-end": "true"})
            (revision,) = await api.make("new")
            ((kind, new),) = frames(await anext(body))
            assert (kind, new["metadata"]["name"], new["metadata"]["resourceVersion"]) == (b"ADDED", "new", revision)
        await api.make(*(f"m{number}" for number in range(3)))
        async with api.stream("GET", f"{MAPS}?watch=1&resourceVersion=1", {"accept": PB}) as stream:
            ((kind, status),) = frames(b"".join([piece async for piece in stream.body]))
            assert (kind, status["kind"], status["code"]) == (b"ERROR", "Status", 410)

    run(story)


def test_watchers_in_both_forms_see_the_same_change() -> None:
    async def story(api: Api) -> None:
        async with api.watch() as json, api.stream("GET", f"{MAPS}?watch=1", {"accept": PB}) as message:
            one, other = aiter(json.body), aiter(message.body)
            assert (await anext(one), await anext(other)) == (b"", b"")
            await api.make("a")
            event = orjson.loads(await anext(one))
            assert frames(await anext(other)) == [(event["type"].encode(), event["object"])]

    run(story)


def test_errors_come_in_the_form_that_was_asked_for() -> None:
    async def story(api: Api) -> None:
        missing = await ask(api, "GET", f"{MAPS}/nothing")
        status = decoded(missing)
        assert (missing.status, status["reason"], status["code"]) == (404, "NotFound", 404)
        assert status["message"] == 'configmaps "nothing" not found'
        assert status["details"]["name"] == "nothing"
        in_yaml = await ask(api, "GET", f"{MAPS}/nothing", accept=YAML)
        assert in_yaml.headers["content-type"] == YAML
        assert yaml.decode(in_yaml.body)[0] == (await api.ask("GET", f"{MAPS}/nothing"))[1]
        gone = decoded(await ask(api, "DELETE", f"{MAPS}/nothing"))
        assert gone["reason"] == "NotFound"

    run(story)


def test_what_is_not_acceptable_is_said_in_json() -> None:
    async def story(api: Api) -> None:
        refused = await ask(api, "GET", MAPS, accept="text/html")
        assert (refused.status, refused.headers["content-type"]) == (406, JSON)
        assert orjson.loads(refused.body)["message"] == (
            "only the following media types are accepted: "
            "application/json, application/yaml, application/vnd.kubernetes.protobuf"
        )
        watched = await ask(api, "GET", f"{MAPS}?watch=1", accept=YAML)
        assert watched.status == 406
        assert yaml.decode(watched.body)[0]["message"] == (
            "only the following media types are accepted: application/json, application/vnd.kubernetes.protobuf"
        )
        crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        if (await api.ask("GET", crds))[0] == 200:
            assert (await ask(api, "GET", crds)).status == 406, "nobody told us the numbers of its fields"

    run(story)


@pytest.mark.parametrize(
    ("target", "kind"),
    [("/api", "APIVersions"), ("/apis", "APIGroupList"),
     ("/apis/apps", "APIGroup"), ("/apis/apps/v1", "APIResourceList")],
)  # fmt: skip
def test_discovery_is_the_same_in_protobuf(target: str, kind: str) -> None:
    async def story(api: Api) -> None:
        _, wanted = await api.ask("GET", target)
        found = decoded(await ask(api, "GET", target))
        assert found["kind"] == kind
        ours, theirs = (({**one, "apiVersion": "v1"}) for one in (found, wanted))
        assert ours == theirs

    run(story)


def test_what_is_no_object_stays_json() -> None:
    async def story(api: Api) -> None:
        for target in ("/version", "/openapi/v3"):
            assert (await ask(api, "GET", target)).headers["content-type"] == JSON

    run(story)


def test_a_broken_message_is_a_bad_request() -> None:
    async def story(api: Api) -> None:
        headers = {"content-type": PB}
        good = protobuf.encode(made("a"))
        answer = await api.send("POST", MAPS, headers, good[:-20])
        assert answer.status == 400
        assert orjson.loads(answer.body)["message"].startswith(
            "the object provided is unrecognized (must be of type ConfigMap): unexpected EOF (6b3873000a0f0a02763112"
        )
        pod = protobuf.encode({"kind": "Pod", "apiVersion": "v1"})
        answer = await api.send("POST", MAPS, headers, pod)
        assert (answer.status, orjson.loads(answer.body)["reason"]) == (400, "BadRequest")
        answer = await api.send("POST", MAPS, {"content-type": "application/xml"}, b"<a/>")
        assert (answer.status, orjson.loads(answer.body)["message"]) == (415, (
            "the body of the request was in an unknown format - accepted media types include: "
            "application/json, application/yaml, application/vnd.kubernetes.protobuf"
        ))  # fmt: skip

    run(story)


def test_a_deletion_takes_its_options_in_protobuf() -> None:
    async def story(api: Api) -> None:
        await api.make("a")
        options = {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": "other"}}
        answer = await ask(api, "DELETE", f"{MAPS}/a", options)
        assert (answer.status, decoded(answer)["reason"]) == (409, "Conflict")
        answer = await ask(api, "DELETE", f"{MAPS}/a", options | {"preconditions": None})
        assert (answer.status, decoded(answer)["status"]) == (200, "Success")

    run(story)
