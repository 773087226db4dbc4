"""Looks at paths of the node that may be of a server that is gone: such a look does not return, and keeps its thread.

So it is made but once at a time: who comes again, as a pod's worker does every few minutes, waits for the look that is
out already. The threads are no one else's, and so many that a few lost ones are no loss; a process that ends does not
wait for them.
"""

import asyncio
from collections.abc import Callable, Hashable
from concurrent.futures import Executor, Future
from threading import Thread
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
_AT_ONCE = 64


class SlowPaths:
    """One node's."""

    def __init__(self, at_once: int = _AT_ONCE) -> None:
        self._room = asyncio.Semaphore(at_once)
        self._threads = _Threads()
        self._out: dict[Hashable, asyncio.Future[Any]] = {}
        self._mounting: dict[Hashable, str] = {}
        """Whose directories those change that are out."""

    async def look(self, what: Hashable, work: Callable[[], T], *, mounts_for: str = "") -> T:
        """What `work` returns or raises; `what` names it: of several with one name the first is made for all.

        `mounts_for`: the uid of the pod in whose directories it mounts something.
        """
        if what not in self._out:
            await self._room.acquire()
            if what in self._out:
                self._room.release()
            else:
                self._begin(what, work)
                self._mounting[what] = mounts_for
        result: T = await asyncio.shield(self._out[what])
        return result

    async def none_mounts_for(self, uid: str) -> None:
        """Return when nothing can be mounted any more in a pod's directories, which are to be removed."""
        if begun := [self._out[what] for what, whose in self._mounting.items() if whose == uid]:
            await asyncio.wait(begun)

    def _begin(self, what: Hashable, work: Callable[[], T]) -> None:
        try:
            begun = asyncio.get_running_loop().run_in_executor(self._threads, work)
        except RuntimeError:  # no thread is to be had
            self._room.release()
            raise
        begun.add_done_callback(lambda _: self._over(what))
        self._out[what] = begun

    def _over(self, what: Hashable) -> None:
        self._room.release()
        done = self._out.pop(what)
        self._mounting.pop(what, None)
        if not done.cancelled():
            done.exception()  # heard of, also if nobody waits any more


class _Threads(Executor):
    """One for each call, and none that keeps the process."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Begin a call at once."""
        future: Future[T] = Future()

        def run() -> None:
            future.set_running_or_notify_cancel()
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001 - whoever waits gets it
                future.set_exception(error)
            else:
                future.set_result(result)

        Thread(target=run, name="slow path", daemon=True).start()
        return future
