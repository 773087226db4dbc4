"""What a change is made of: a patch is held against the schema where it says something, and is read as it was sent."""

from typing import Any

import orjson
import pytest

from fakes.served import MAPS, Api, run
from pilothouse.store.interface import Record, Revision
from pilothouse.store.memory import MemoryStore

MERGE, STRATEGIC = "application/merge-patch+json", "application/strategic-merge-patch+json"


async def patch(api: Api, form: str, body: object, query: str = "") -> tuple[int, Any]:
    answer = await api.send("PATCH", f"{MAPS}/a{query}", {"content-type": form}, orjson.dumps(body))
    return answer.status, orjson.loads(answer.body)


@pytest.mark.parametrize("form", [MERGE, STRATEGIC])
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"data": {"a": 1}}, "json: cannot unmarshal number into Go struct field ConfigMap.data of type string"),
        ({"kind": 1}, "json: cannot unmarshal number into Go struct field ConfigMap.kind of type string"),
        ({"other": {}}, 'strict decoding error: unknown field "other"'),
        ({"metadata": {"other": 1}}, 'strict decoding error: unknown field "metadata.other"'),
    ],
)
def test_what_a_patch_says_is_held_against_the_schema(form: str, body: object, words: str) -> None:
    async def story(api: Api) -> None:
        await api.make("a")
        status, error = await patch(api, form, body, "?fieldValidation=Strict")
        assert (status, error["reason"]) == (422, "Invalid")
        assert words in error["message"]

    run(story)


@pytest.mark.parametrize("form", [MERGE, STRATEGIC])
def test_a_patch_leaves_the_order_of_fields_and_takes_away_what_says_nothing(form: str) -> None:
    async def story(api: Api) -> None:
        sent = {"metadata": {"name": "a"}, "data": {"a": "1"}, "binaryData": {"b": "aGk="}}
        await api.ask("POST", MAPS, sent)
        head = ["kind", "apiVersion", "metadata"]
        status, found = await patch(api, form, {"metadata": {"labels": {"a": "b"}}, "immutable": None})
        assert (status, list(found)) == (200, [*head, "data", "binaryData"])
        _, found = await patch(api, form, {"data": {"a": "2"}})
        assert list(found) == [*head, "data", "binaryData"]
        _, found = await patch(api, form, {"data": {"a": None}})
        assert list(found) == [*head, "binaryData"], "nothing is left of it"

    run(story)


def test_a_directive_at_the_top_may_change_everything() -> None:
    async def story(api: Api) -> None:
        await api.ask("POST", MAPS, {"metadata": {"name": "a"}, "data": {"a": "1"}})
        status, error = await patch(api, STRATEGIC, {"$patch": "replace", "metadata": {"name": "a"}, "data": {"a": 1}})
        assert (status, error["reason"]) == (422, "Invalid")
        kept = {"$retainKeys": ["kind", "apiVersion", "metadata", "binaryData"], "binaryData": {"b": "aGk="}}
        status, found = await patch(api, STRATEGIC, kept)
        assert (status, list(found)) == (200, ["kind", "apiVersion", "metadata", "binaryData"])

    run(story)


@pytest.mark.parametrize(
    ("method", "form", "body"),
    [
        ("PUT", "application/json", {"metadata": {"name": "a", "labels": {"by": "us"}}, "data": {"a": "b"}}),
        ("PATCH", MERGE, {"metadata": {"labels": {"by": "us"}}, "data": {"a": "b"}}),
    ],
)
def test_what_others_overtake_is_done_again_as_it_was_sent(
    method: str, form: str, body: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    update = MemoryStore.update
    overtaken = 0

    async def overtaking(
        store: MemoryStore, key: str, value: bytes, *, expected: Revision, ttl: float | None = None
    ) -> Record:
        nonlocal overtaken
        if overtaken < 2:
            overtaken += 1
            current = await store.get(key)
            assert current is not None
            other = current.value.replace(b'"uid"', b'"generateName":"x","uid"', 1)
            await update(store, key, other, expected=expected, ttl=ttl)
        return await update(store, key, value, expected=expected, ttl=ttl)

    async def story(api: Api) -> None:
        await api.make("a")
        monkeypatch.setattr(MemoryStore, "update", overtaking)
        answer = await api.send(method, f"{MAPS}/a", {"content-type": form}, orjson.dumps(body))
        found = orjson.loads(answer.body)
        assert (answer.status, overtaken) == (200, 2)
        assert (found["metadata"]["labels"], found["data"]) == ({"by": "us"}, {"a": "b"})
        assert found["metadata"]["generateName"] == "x", "on top of what the others did"

    run(story)
