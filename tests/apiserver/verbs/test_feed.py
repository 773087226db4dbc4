"""Watchers that do not read, and what a bookmark promises."""

from collections.abc import AsyncIterator

import pytest

from fakes.served import MAPS, Api, events_of, rest, run
from pilothouse.apiserver.verbs import feed
from pilothouse.net.answer import dispose
from pilothouse.net.http import Peer, Pushing, Request

BOOKMARKS = "allowWatchBookmarks=true"


def test_a_watcher_that_does_not_read_is_cut_off_and_others_go_on() -> None:
    async def story(api: Api) -> None:
        async with api.watch() as idle, api.watch() as reads:
            sleeping, reading = aiter(idle.body), aiter(reads.body)
            assert await anext(sleeping) == b""
            assert await anext(reading) == b""
            await api.make("first")
            first = events_of(await anext(sleeping))
            assert first == events_of(await anext(reading))
            for number in range(feed.MOST_WAITING + 1):
                (revision,) = await api.make(f"m{number}")
                assert events_of(await anext(reading)) == [("ADDED", f"m{number}", int(revision))]
            assert await rest(sleeping) == [], "the end, not a part of what it missed"
            await api.make("last")
            assert [name for _, name, _ in events_of(await anext(reading))] == ["last"]

    run(story)


def test_who_reads_in_time_misses_nothing() -> None:
    async def story(api: Api) -> None:
        async with api.watch() as stream:
            body = aiter(stream.body)
            assert await anext(body) == b""
            names = [f"m{number}" for number in range(feed.MOST_WAITING)]
            await api.make(*names)
            assert [name for _, name, _ in events_of(await anext(body))] == names

    run(story)


def test_a_watcher_is_cut_off_for_bytes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "MOST_WAITING_BYTES", 1000)

    async def story(api: Api) -> None:
        async with api.watch() as stream:
            body = aiter(stream.body)
            assert await anext(body) == b""
            await api.make(*(f"m{number}" for number in range(20)))
            assert await rest(body) == []

    run(story)


def test_a_bookmark_tells_of_nothing_that_was_not_sent() -> None:
    async def story(api: Api) -> None:
        async with api.watch(BOOKMARKS) as stream:
            body = aiter(stream.body)
            assert await anext(body) == b""
            told: list[tuple[str, str, int]] = []
            for name in "abcdef":
                await api.clock.sleep(61)  # due while the watcher is busy with what it got
                await api.make(name)
                told += events_of(await anext(body))
                await api.make(f"{name}2")
            told += events_of(await anext(body))
        revisions = [revision for _, _, revision in told]
        assert revisions == sorted(revisions), told
        assert sum(kind == "BOOKMARK" for kind, _, _ in told) == 6
        assert [name for kind, name, _ in told if kind == "ADDED"] == [name + n for name in "abcdef" for n in ("", "2")]

    run(story)


def test_who_was_cut_off_gets_no_bookmark() -> None:
    async def story(api: Api) -> None:
        async with api.watch(BOOKMARKS) as stream:
            body = aiter(stream.body)
            assert await anext(body) == b""
            await api.clock.sleep(61)
            await api.make("a")
            assert ("ADDED", "a") in [event[:2] for event in events_of(await anext(body))]
            await api.make(*(f"m{number}" for number in range(feed.MOST_WAITING + 1)))
            assert await rest(body) == [], "it would go on after what it never saw"

    run(story)


def test_what_waits_when_the_time_is_up_is_sent() -> None:
    async def story(api: Api) -> None:
        async with api.watch(f"timeoutSeconds=5&{BOOKMARKS}") as stream:
            body = aiter(stream.body)
            assert await anext(body) == b""
            await api.make("a", "b")
            await api.clock.sleep(6)
            assert [name for _, name, _ in await rest(body)] == ["a", "b"]

    run(story)


def test_frames_leave_at_once_where_they_can_and_keep_their_order() -> None:
    async def story(api: Api) -> None:
        response = await api.handle(Request("GET", f"{MAPS}?watch=1", {}, Peer("")))
        body = response.body
        assert isinstance(body, Pushing)
        assert isinstance(body, AsyncIterator)
        try:
            assert await anext(body) == b""
            sent: list[bytes] = []
            room = True

            def take(frame: bytes) -> bool:
                if room:
                    sent.append(frame)
                return room

            body.push_to(take)
            await api.make("a", "b")
            assert [name for _, name, _ in events_of(b"".join(sent))] == ["a", "b"]
            room = False
            await api.make("c")
            room = True
            await api.make("d")
            assert len(sent) == 2, "what waits goes first"
            assert [name for _, name, _ in events_of(await anext(body))] == ["c", "d"]
            await api.make("e")
            assert [name for _, name, _ in events_of(sent[2])] == ["e"]
        finally:
            await dispose(response)

    run(story)
