"""watch: changes as they happen, one JSON document a line, or in protobuf one message a frame.

A watcher gets what its selection gains as ADDED and what it loses as DELETED. Frames of plain objects are made once
and shared by all watchers; how they get to each is in `feed.py`. Source: API concepts, "Efficient detection of
changes"; KEP-956 (bookmarks), KEP-3157 (sendInitialEvents).
"""

from collections.abc import AsyncGenerator, Callable, Iterable
from typing import Any

import orjson

from pilothouse.api.machinery import errors
from pilothouse.api.machinery.codec import protobuf
from pilothouse.api.machinery.errors import BadRequest, InternalError, StatusError
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.resource import Resource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.machinery.whole_numbers import parse_int
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.registry.entry import Entry
from pilothouse.apiserver.registry.resource_cache import Change
from pilothouse.apiserver.registry.selection import Selection, selection_of
from pilothouse.apiserver.registry.served import Served
from pilothouse.apiserver.request_info import RequestInfo
from pilothouse.apiserver.verbs.feed import Bookmarks, Feed, Watched
from pilothouse.apiserver.verbs.forms import JSON, PROTOBUF, Form
from pilothouse.apiserver.verbs.read import NOT_OLDER, parse_revision
from pilothouse.apiserver.verbs.shape import Shaper
from pilothouse.net.http import Response
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log

_log = Log(__name__)

_SHORTEST_WATCH = 1800.0
"""A watch that names no timeout lives this long to twice as long, as upstream's."""
_INITIAL_EVENTS_END = "k8s.io/initial-events-end"


class Frames:
    """Frames of plain objects. A change goes to all its watchers at once, so it is enough to keep those of the last."""

    def __init__(self) -> None:
        self._last: Entry | None = None
        self._made: dict[tuple[str, str, str], bytes] = {}

    def of(
        self, resource: Resource[Any], kind: str, entry: Entry, form: Form, encoded: Callable[[Entry], bytes]
    ) -> bytes:
        """The frame that tells of the entry as `resource` shows it."""
        if entry is not self._last:
            self._last = entry
            self._made.clear()
        key = (resource.api_version, kind, form.media_type)
        frame = self._made.get(key)
        if frame is None:
            frame = self._made[key] = _frame(kind, encoded(entry), form)
        return frame


class Watching:
    """Answers watch."""

    def __init__(self, served: Served, shaper: Shaper, clock: Clock, chance: Chance) -> None:
        self._served = served
        self._shape = shaper
        self._clock = clock
        self._chance = chance
        self._frames = Frames()
        self._bookmarks = Bookmarks(clock)
        self.sent: dict[tuple[str, str, str], list[int]] = {}
        """How many events watchers were sent, by group, version and plural: the one number of each list."""

    async def watch(self, exchange: Exchange, resource: Resource[Any], form: Form) -> Response:
        """A stream of events. Raises Invalid for options that contradict each other; Expired comes in the stream."""
        info = exchange.info
        initial = _initial_events(info)
        selection = selection_of(info, resource)
        seconds = self._lifetime(info.value("timeoutSeconds"))
        text = info.value("resourceVersion")
        since: int | None = parse_revision(text) if text not in ("", "0") else None
        if since is not None:
            await self._served.cache.reach(since)
        elif not text:
            await self._served.cache.reach_latest()
        if initial:
            since = None
        elif initial is False and since is None:
            since = self._served.cache.revision
        feed = Feed()
        frames = self._stream(exchange, resource, form, selection, since, seconds, told=bool(initial), feed=feed)
        return Response(200, Watched(frames, feed), {}, protobuf.STREAM_TYPE if form.media_type == PROTOBUF else JSON)

    async def _stream(
        self,
        exchange: Exchange,
        resource: Resource[Any],
        form: Form,
        selection: Selection,
        since: int | None,
        seconds: float,
        *,
        told: bool,
        feed: Feed,
    ) -> AsyncGenerator[bytes, None]:
        cache = self._served.cache_of(resource)
        framed = self._framing(exchange, resource, form)
        sent = self.sent.setdefault((resource.group, resource.version, resource.plural), [0])

        def offer(change: Change) -> None:
            try:
                found = classify(change, selection)
                if found is not None:
                    sent[0] += 1
                    feed.put(framed(*found))
            except Exception as error:  # noqa: BLE001 - the HTTP boundary: one watch's fault is not everybody's
                feed.put(_crashed(error, exchange.info.path, form))
                feed.end()

        try:
            first = self._first(resource, selection, since, framed)
        except StatusError as error:
            yield _frame("ERROR", _encoded(error.status(), form), form)
            return
        sent[0] += len(first)
        if told:
            first.append(self._bookmark(resource, form, initial=True))
        end = cache.watch(offer, selection.wanted)
        timer = self._clock.call_later(seconds, feed.end)
        if exchange.info.flag("allowWatchBookmarks"):
            self._bookmarks.add(feed)
        try:
            yield b"".join(first)
            while feed.frames or not feed.over:
                await feed.ready()
                piece = feed.waiting()
                if feed.bookmark_due and not feed.over:
                    feed.bookmark_due = False
                    piece += self._bookmark(resource, form)  # in one piece with all that it says was seen
                yield piece
        finally:
            end()
            timer.cancel()
            self._bookmarks.remove(feed)

    def _framing(self, exchange: Exchange, resource: Resource[Any], form: Form) -> Callable[[str, Entry], bytes]:
        """What makes the frames of one watch."""
        headed = True

        def framed(kind: str, entry: Entry) -> bytes:
            nonlocal headed
            if not form.shape:
                return self._frames.of(resource, kind, entry, form, encoded)
            frame = _frame(kind, encoded(entry), form)
            headed = False
            return frame

        def encoded(entry: Entry) -> bytes:
            return self._shape.encoded(exchange, resource, entry, form, headed=headed)

        return framed

    def _first(self, resource: Resource[Any], selection: Selection, since: int | None, framed: Any) -> list[bytes]:
        """What a watch begins with: all that is there, or the changes since a revision. Raises Expired."""
        cache = self._served.cache_of(resource)
        if since is None:
            return [framed("ADDED", entry) for entry in selection.among(cache)]
        found: Iterable[tuple[str, Entry] | None] = (classify(change, selection) for change in cache.since(since))
        return [framed(*one) for one in found if one is not None]

    def _bookmark(self, resource: Resource[Any], form: Form, *, initial: bool = False) -> bytes:
        metadata: dict[str, Any] = {"resourceVersion": str(self._served.cache.revision), "creationTimestamp": None}
        if initial:
            metadata["annotations"] = {_INITIAL_EVENTS_END: "true"}
        obj = {"kind": resource.name, "apiVersion": resource.api_version, "metadata": metadata}
        return _frame("BOOKMARK", _encoded(obj, form), form)

    def _lifetime(self, text: str) -> float:
        try:
            asked = parse_int(text) if text else 0
        except ValueError as error:
            raise BadRequest(str(error)) from None
        return float(asked) if asked > 0 else self._chance.uniform(_SHORTEST_WATCH, 2 * _SHORTEST_WATCH)


def _crashed(error: Exception, path: str, form: Form) -> bytes:
    """The last frame of a watch that cannot go on."""
    _log.crash("A watch crashed", error=error, path=path)
    told = InternalError(f"{type(error).__name__} while watching {path}")
    return _frame("ERROR", _encoded(told.status(), form), form)


def classify(change: Change, selection: Selection) -> tuple[str, Entry] | None:
    """What a change is to those who see only a selection: ADDED, MODIFIED, DELETED, or nothing."""
    before = change.previous is not None and selection.matches(change.previous)
    if change.deleted:
        return ("DELETED", change.entry) if before else None
    if selection.matches(change.entry):
        return ("MODIFIED" if before else "ADDED", change.entry)
    if before and change.previous is not None:
        return ("DELETED", change.previous.at(change.revision))
    return None


def _encoded(obj: JsonObject, form: Form) -> bytes:
    return protobuf.encode(obj) if form.media_type == PROTOBUF else orjson.dumps(obj)


def _frame(kind: str, document: bytes, form: Form) -> bytes:
    if form.media_type == PROTOBUF:
        return protobuf.watch_event(kind, document)
    return b'{"type":"%b","object":%b}\n' % (kind.encode(), document)


def _initial_events(info: RequestInfo) -> bool | None:
    """`sendInitialEvents`, held against what it needs. Raises Invalid."""
    match = info.value("resourceVersionMatch")
    wrong = FieldErrors()
    asked = info.flag("sendInitialEvents") if "sendInitialEvents" in info.query else None
    if asked is None and match:
        wrong.forbidden(
            "resourceVersionMatch", "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        )
    elif asked is not None and match != NOT_OLDER:
        wrong.forbidden(
            "resourceVersionMatch", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        )
    elif asked and not info.flag("allowWatchBookmarks"):
        wrong.forbidden("allowWatchBookmarks", "sendInitialEvents requires setting allowWatchBookmarks to true")
    if wrong:
        raise errors.invalid("ListOptions", "meta.k8s.io", "", wrong)
    return asked
