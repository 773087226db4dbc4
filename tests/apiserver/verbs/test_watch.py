"""What a watch is told when something goes wrong; what a slow one is told is in test_feed.py."""

import orjson
import pytest

from fakes.served import Api, events_of, run
from pilothouse.apiserver.registry.entry import Entry
from pilothouse.apiserver.registry.resource_cache import Change
from pilothouse.apiserver.registry.selection import Selection
from pilothouse.apiserver.verbs import watch


def test_a_watch_that_crashes_ends_alone(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    classify = watch.classify

    def crash(change: Change, selection: Selection) -> tuple[str, Entry] | None:
        if selection.fields is not None:
            raise KeyError("columns")
        return classify(change, selection)

    monkeypatch.setattr(watch, "classify", crash)

    async def story(api: Api) -> None:
        async with api.watch("fieldSelector=metadata.name%3Da") as crashes, api.watch() as goes_on:
            broken, sound = aiter(crashes.body), aiter(goes_on.body)
            assert await anext(broken) == await anext(sound) == b""
            await api.make("a")
            (error,) = [orjson.loads(piece) async for piece in broken]
            assert error["type"] == "ERROR"
            assert (error["object"]["code"], error["object"]["reason"]) == (500, "InternalError")
            assert [name for _, name, _ in events_of(await anext(sound))] == ["a"]
            await api.make("b")
            assert [name for _, name, _ in events_of(await anext(sound))] == ["b"]

    run(story)
    assert "A watch crashed" in caplog.text
