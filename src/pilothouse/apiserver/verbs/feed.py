"""What is on its way to one watcher: frames that wait, the time that is up, the bookmark that is due.

Whoever finds a change puts frames in; the connection itself takes them out, or where it cannot the watch's task. A
watcher that does not read is cut off, so that it costs neither memory nor others' time. (KEP-956 for bookmarks.)
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

from pilothouse.runtime.clock import Clock

MOST_WAITING = 1000
"""Frames that wait for one slow watcher before it is cut off."""
MOST_WAITING_BYTES = 4 << 20
_BOOKMARK_SECONDS = 60.0


class Feed:
    """Frames on their way to one watcher."""

    def __init__(self) -> None:
        self.frames: deque[bytes] = deque()
        self._size = 0
        self.over = False
        """Whether the watch ends: its time is up, or its watcher does not read."""
        self.bookmark_due = False
        self.take: Callable[[bytes], bool] | None = None
        """What sends a frame at once if it can, where the watcher has that."""
        self._waiter: asyncio.Future[None] | None = None

    def put(self, frame: bytes) -> None:
        """Queue a frame, or give up on a watcher that does not read."""
        if self.over or (self.take is not None and not self.frames and self.take(frame)):
            return
        if len(self.frames) >= MOST_WAITING or self._size > MOST_WAITING_BYTES:
            self.frames.clear()
            self.over = True
        else:
            self.frames.append(frame)
            self._size += len(frame)
        self._wake()

    def want_bookmark(self) -> None:
        """Let the watcher know how far it is."""
        self.bookmark_due = True
        self._wake()

    def end(self) -> None:
        """Its time is up."""
        self.over = True
        self._wake()

    def waiting(self) -> bytes:
        """All that waits, joined; then nothing does."""
        joined = b"".join(self.frames)
        self.frames.clear()
        self._size = 0
        return joined

    async def ready(self) -> None:
        """Wait until there is something to do."""
        if not (self.frames or self.over or self.bookmark_due):
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Watched(AsyncIterator[bytes]):
    """The body of a watch: what it begins with and what did not leave at once, a piece at a time."""

    def __init__(self, pieces: AsyncGenerator[bytes, None], feed: Feed) -> None:
        self._pieces = pieces
        self._feed = feed
        self.aclose = pieces.aclose

    def __anext__(self) -> Awaitable[bytes]:
        return self._pieces.__anext__()

    def push_to(self, take: Callable[[bytes], bool]) -> None:
        """Have frames sent as they come, without a turn of the watch's task."""
        self._feed.take = take


class Bookmarks:
    """One timer for all watchers that want bookmarks: a minute in which nothing happens wakes the server once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._feeds: dict[Feed, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, feed: Feed) -> None:
        """Remind a feed every minute from now on."""
        self._feeds[feed] = None
        if self._timer is None:
            self._timer = self._clock.call_later(_BOOKMARK_SECONDS, self._ring)

    def remove(self, feed: Feed) -> None:
        """Remind it no more."""
        self._feeds.pop(feed, None)
        if not self._feeds and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self) -> None:
        for feed in self._feeds:
            feed.want_bookmark()
        self._timer = self._clock.call_later(_BOOKMARK_SECONDS, self._ring)
