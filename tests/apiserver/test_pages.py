"""OpenAPI as it is served: forms, hashes, and what caches are told."""

import orjson
import pytest

from fakes.served import Api, run
from pilothouse.client.transport import Answer

V2_PROTOBUF = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"


async def get(api: Api, target: str, **headers: str) -> Answer:
    return await api.send("GET", target, {name.replace("_", "-"): value for name, value in headers.items()})


def test_a_document_named_by_its_hash_is_kept_for_ever() -> None:
    async def story(api: Api) -> None:
        index = orjson.loads((await get(api, "/openapi/v3")).body)
        target = index["paths"]["apis/policy/v1"]["serverRelativeURL"]
        answer = await get(api, target)
        assert answer.headers["cache-control"] == "public, immutable"
        assert answer.headers["expires"].endswith(" GMT")
        assert answer.headers["etag"] == f'"{target.partition("hash=")[2]}"'
        assert orjson.loads(answer.body)["paths"]["/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets"]
        old = await get(api, "/openapi/v3/apis/policy/v1?hash=OLD")
        assert (old.status, old.headers["location"]) == (301, target)

    run(story)


def test_a_document_without_a_hash_is_asked_for_again() -> None:
    async def story(api: Api) -> None:
        for target in ("/openapi/v2", "/openapi/v3/apis/policy/v1"):
            answer = await get(api, target)
            assert (answer.status, answer.headers["vary"]) == (200, "Accept")
            assert answer.headers["cache-control"] == "no-cache, private"
            again = await get(api, target, if_none_match=answer.headers["etag"])
            assert (again.status, again.body) == (304, b"")
        assert (await get(api, "/openapi/v3/apis/nothing/v1")).status == 404

    run(story)


@pytest.mark.parametrize(
    ("accept", "content"),
    [
        ("", "application/json"), ("*/*", "application/json"), ("application/json", "application/json"),
        (V2_PROTOBUF, "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"),
        (f"application/json;q=0.9,{V2_PROTOBUF}", "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"),
        (f"application/json,{V2_PROTOBUF};q=0.5", "application/json"),
    ],
)  # fmt: skip
def test_the_forms_of_the_older_document(accept: str, content: str) -> None:
    async def story(api: Api) -> None:
        answer = await get(api, "/openapi/v2", accept=accept)
        assert (answer.status, answer.headers["content-type"]) == (200, content)

    run(story)


def test_forms_that_nobody_serves() -> None:
    async def story(api: Api) -> None:
        assert (await get(api, "/openapi/v2", accept="text/html")).status == 406
        assert (await get(api, "/openapi/v3/apis/policy/v1", accept=V2_PROTOBUF)).status == 406

    run(story)


def test_what_is_no_document_is_for_no_cache() -> None:
    async def story(api: Api) -> None:
        for target in ("/api/v1/namespaces/default/configmaps", "/version", "/nothing"):
            assert (await get(api, target)).headers["cache-control"] == "no-cache, private"

    run(story)
