"""Lists at a revision and in pages, before and after the store has forgotten."""

import base64
from typing import Any

import orjson
import pytest

from fakes.served import MAPS, Api, run

INCONSISTENT = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)


def names(answer: Any) -> list[str]:
    return [item["metadata"]["name"] for item in answer["items"]]


def token(revision: Any, start: Any, version: str = "meta.k8s.io/v1") -> str:
    document = orjson.dumps({"v": version, "rv": revision, "start": start})
    return base64.urlsafe_b64encode(document).decode().rstrip("=")


def test_a_page_too_late_is_refused_with_a_way_on() -> None:
    async def story(api: Api) -> None:
        await api.make("a", "b", "c", "d", "e")
        _, first = await api.list("limit=2")
        await api.ask("DELETE", f"{MAPS}/d")
        await api.make("bb", "f")
        await api.store.compact(await api.store.revision())
        status, error = await api.list(f"limit=2&continue={first['metadata']['continue']}")
        assert (status, error["reason"], error["message"]) == (410, "Expired", INCONSISTENT)
        onward = error["metadata"]["continue"]
        status, second = await api.list(f"limit=2&continue={onward}")
        assert (status, names(second)) == (200, ["c", "e"]), "what is there now, from where the first page ended"
        assert second["metadata"]["resourceVersion"] == str(await api.store.revision())
        _, third = await api.list(f"continue={second['metadata']['continue']}")
        assert names(third) == ["f"]
        assert third["metadata"]["resourceVersion"] == second["metadata"]["resourceVersion"]

    run(story)


def test_a_page_too_late_is_refused_though_nothing_changed() -> None:
    async def story(api: Api) -> None:
        await api.make("a", "b", "c")
        _, first = await api.list("limit=1")
        page = f"limit=1&continue={first['metadata']['continue']}"
        await api.ask("POST", "/api/v1/namespaces", {"metadata": {"name": "other"}})
        assert names((await api.list(page))[1]) == ["b"]
        await api.store.compact(await api.store.revision())
        status, error = await api.list(page)
        assert (status, error["message"]) == (410, INCONSISTENT)
        assert names((await api.list(f"continue={error['metadata']['continue']}"))[1]) == ["b", "c"]

    run(story)


def test_history_lasts_five_minutes() -> None:
    async def story(api: Api) -> None:
        await api.make("a", "b", "c")
        _, first = await api.list("limit=1")
        after = first["metadata"]["continue"]
        for minute in range(4):
            await api.clock.sleep(60)
            await api.make(f"m{minute}")
        assert names((await api.list(f"continue={after}"))[1]) == ["b", "c"]
        for minute in range(4, 8):
            await api.clock.sleep(60)
            await api.make(f"m{minute}")
        assert (await api.list(f"continue={after}"))[0] == 410

    run(story)


def test_an_exact_list_is_what_was_until_it_is_forgotten() -> None:
    async def story(api: Api) -> None:
        revisions = await api.make("a", "b", "c")
        await api.ask("DELETE", f"{MAPS}/a")
        for query in ("resourceVersionMatch=Exact", "limit=9"):
            status, found = await api.list(f"resourceVersion={revisions[1]}&{query}")
            assert (status, names(found)) == (200, ["a", "b"])
            assert found["metadata"]["resourceVersion"] == revisions[1]
        await api.store.compact(await api.store.revision())
        for query in ("resourceVersionMatch=Exact", "limit=9"):
            status, error = await api.list(f"resourceVersion={revisions[1]}&{query}")
            why = "The resourceVersion for the provided list is too old."
            assert (status, error["reason"], error["message"]) == (410, "Expired", why)
            assert error["metadata"] == {}

    run(story)


@pytest.mark.parametrize("query", ["resourceVersion=900&resourceVersionMatch=Exact", f"continue={token(900, 'x')}"])
def test_a_revision_that_does_not_come_times_out(query: str) -> None:
    async def story(api: Api) -> None:
        (latest,) = await api.make("a")
        status, error = await api.list(query)
        assert (status, error["reason"]) == (504, "Timeout")
        assert error["message"] == f"Timeout: Too large resource version: 900, current: {latest}"

    run(story)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("nonsense", ""),
        (base64.urlsafe_b64encode(b"[]").decode(), ""),
        (token(1, "x", "v2"), ": server does not recognize this encoded version v2"),
        (token(0, "x"), ": incorrect encoded start resourceVersion (version meta.k8s.io/v1)"),
        (token("1", "x"), ": incorrect encoded start resourceVersion (version meta.k8s.io/v1)"),
        (token(1, ""), ": encoded start key empty (version meta.k8s.io/v1)"),
        (token(1, "../secrets/x"), ": ../secrets/x"),
        (token(-1, "a//b"), ": a//b"),
    ],
)
def test_a_token_of_another_make_is_refused(bad: str, why: str) -> None:
    async def story(api: Api) -> None:
        status, error = await api.list(f"continue={bad}")
        assert (status, error["reason"]) == (400, "BadRequest")
        assert error["message"] == f"invalid continue token: continue key is not valid{why}"

    run(story)


def test_a_watch_from_too_far_back_is_told_to_list() -> None:
    async def story(api: Api) -> None:
        (first,) = await api.make("a")
        for number in range(2100):
            await api.make(f"m{number}")
        async with api.watch(f"resourceVersion={first}") as answer:
            assert answer.status == 200, "the stream has begun"
            event = orjson.loads(await answer.read())
        assert event["type"] == "ERROR"
        error = event["object"]
        assert (error["code"], error["reason"]) == (410, "Expired")
        assert error["message"].startswith(f"too old resource version: {first} (")

    run(story)
