"""An event loop whose time is virtual: an hour of a cluster's life in a second, replayed exactly from a seed.

The loop's time stands still while anything is ready to run and jumps to the next timer when nothing is. It may jump
only when nobody outside is about to act: every file descriptor that the loop watches (but for its own wake-up pipe
and listening sockets), every thread of its executor and every subprocess holds it; `hold` is for the rest. While
held, the loop waits in real time. When nothing is ready, no timer is set and nothing holds, it will wait for ever:
that is a deadlock, and raised as one.
"""

import asyncio
import os
import selectors
import socket
import stat
from asyncio import unix_events
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock

T = TypeVar("T")

EPOCH = 1_767_225_600.0
"""When virtual time begins: 2026-01-01T00:00:00Z."""
PATIENCE = 60.0
"""Real seconds to wait for whatever holds time before calling it stuck."""


class Deadlock(RuntimeError):
    """Nothing is ready, no timer is set and nothing outside will act."""


class VirtualLoop(unix_events._UnixSelectorEventLoop):
    """A selector loop with virtual time, beginning at 0."""

    def __init__(self, *, patience: float = PATIENCE) -> None:
        self._virtual_now = 0.0
        self._holds: dict[int, str] = {}
        self._hold_count = 0
        self._children: dict[int, int] = {}
        self._patience = patience
        super().__init__(_VirtualSelector(self))

    def time(self) -> float:
        """Virtual seconds since the loop began."""
        return self._virtual_now

    @contextmanager
    def hold(self, why: str) -> Iterator[None]:
        """Keep time still inside the block."""
        number = self._take_hold(why)
        try:
            yield
        finally:
            self._release_hold(number)

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """Run `func` in a thread, holding time until it is done."""
        future: asyncio.Future[T] = super().run_in_executor(executor, func, *args)
        number = self._take_hold(f"thread running {getattr(func, '__qualname__', func)}")
        future.add_done_callback(lambda _: self._release_hold(number))
        return future

    async def shutdown_default_executor(self, *args: Any) -> None:
        """Wait for the threads, which is real time."""
        with self.hold("threads coming to their end"):
            await super().shutdown_default_executor(*args)

    async def _make_subprocess_transport(self, *args: Any, **kwargs: Any) -> Any:
        number = self._take_hold("subprocess being started")
        try:
            transport = await super()._make_subprocess_transport(*args, **kwargs)  # type: ignore[misc]
        finally:
            self._release_hold(number)
        if transport.get_returncode() is None:
            self._children[transport.get_pid()] = self._take_hold(f"subprocess {transport.get_pid()}")
        return transport

    def _child_watcher_callback(self, pid: int, returncode: int, transport: Any) -> None:
        """Called in the watcher's thread when a subprocess has ended."""
        super()._child_watcher_callback(pid, returncode, transport)  # type: ignore[misc]
        self.call_soon_threadsafe(lambda: self._release_hold(self._children.pop(pid, 0)))

    def _take_hold(self, why: str) -> int:
        self._hold_count += 1
        self._holds[self._hold_count] = why
        return self._hold_count

    def _release_hold(self, number: int) -> None:
        self._holds.pop(number, None)

    def _advance(self, seconds: float) -> None:
        """Jump to the next timer, exactly; `seconds` is the loop's own idea of the distance, capped at a day."""
        timers: list[asyncio.TimerHandle] = self._scheduled  # type: ignore[attr-defined]
        target = self._virtual_now + seconds
        if timers and abs(timers[0].when() - target) < 1e-3:
            target = timers[0].when()
        self._virtual_now = max(self._virtual_now, target)

    def _explain(self) -> str:
        tasks = sorted(f"{task.get_name()} at {_position(task)}" for task in asyncio.all_tasks(self))
        return "; ".join(tasks) or "no task"


class _VirtualSelector(selectors.DefaultSelector):
    """Where the loop would wait, time jumps instead."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop
        self._quiet: set[int] = set()

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key: selectors.SelectorKey = super().register(fileobj, events, data)
        wake_up = self._loop._ssock.fileno()  # type: ignore[attr-defined]
        if key.fd == wake_up or _is_listening(key.fd):
            self._quiet.add(key.fd)
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        key: selectors.SelectorKey = super().unregister(fileobj)
        self._quiet.discard(key.fd)
        return key

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(0)
        if ready or timeout == 0:
            return ready
        if self._loop._holds or len(self.get_map()) > len(self._quiet):
            ready = super().select(self._loop._patience)
            if not ready:
                held = list(self._loop._holds.values()) or ["an open file descriptor"]
                raise Deadlock(f"held too long by {', '.join(held)}; {self._loop._explain()}")
            return ready
        if timeout is None:
            raise Deadlock(f"everybody waits: {self._loop._explain()}")
        self._loop._advance(timeout)
        return []


def run(
    main: Callable[[LoopClock, Chance], Coroutine[Any, Any, T]],
    *,
    seed: int = 0,
    epoch: float = EPOCH,
    patience: float = PATIENCE,
) -> T:
    """Run `main(clock, chance)` in virtual time. Tasks that outlive it are cancelled and are an error."""

    async def whole() -> T:
        result = await main(LoopClock(epoch), Chance(seed))
        leaked = sorted(task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task())
        if leaked:
            raise RuntimeError(f"tasks outlived their owner: {', '.join(leaked)}")
        return result

    with asyncio.Runner(loop_factory=lambda: VirtualLoop(patience=patience)) as runner:
        return runner.run(whole())


def _is_listening(fd: int) -> bool:
    if not stat.S_ISSOCK(os.fstat(fd).st_mode):
        return False  # a pipe that is looked at as a socket stays open for ever
    try:
        with socket.fromfd(fd, socket.AF_INET, socket.SOCK_STREAM) as probe:
            return bool(probe.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    except OSError:
        return False


def _position(task: asyncio.Task[Any]) -> str:
    frames = task.get_stack(limit=1)
    return f"{frames[-1].f_code.co_qualname}:{frames[-1].f_lineno}" if frames else "its end"
