"""`kill -9` at every step: a process that ends at its n-th touch of the world, and nothing after it.

Where it can be killed is found from what it does, not from a list: every call of the services that are given to it,
and every change of a file below a directory, which Python's audit events tell of before it happens. What the dying
process still tries (clean-ups, `finally`) does not reach the world.
"""

import asyncio
import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self, TypeVar, cast

T = TypeVar("T")
_CHANGES = {
    "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.link", "os.chmod", "os.chown", "os.truncate",
    "os.utime", "os.setxattr",
}  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class Killed(BaseException):
    """What a process meets after its end."""


class FaultPoints:
    """The touches of one life. It ends at the touch of number `last`; None: it does not."""

    current: "FaultPoints | None" = None
    """Whose files are watched: audit hooks cannot be taken away again."""

    def __init__(self, root: Path, last: int | None, look: Callable[[], object] = lambda: None) -> None:
        self._root = str(root)
        self._last = last
        self._look = look
        self.touched: list[tuple[str, object]] = []
        """What was done up to the end, and what a look at the world said before."""
        self.ended = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def touch(self, what: str) -> None:
        """Pass, or die. Raises Killed."""
        if self._last is not None and len(self.touched) >= self._last:
            self._loop.call_soon_threadsafe(self.ended.set)
            raise Killed(what)
        self.touched.append((what, self._look()))

    def changes(self) -> list[int]:
        """The touches before which the world is another than before the one before: the rest is the same death."""
        looks = [look for _, look in self.touched]
        return [number for number, look in enumerate(looks) if not number or look != looks[number - 1]]

    def around(self, service: T) -> T:
        """The service, each of whose calls is a touch."""
        return cast("T", _Watched(service, self))

    def __enter__(self) -> Self:
        _install()
        FaultPoints.current = self
        return self

    def __exit__(self, *error: object) -> None:
        FaultPoints.current = None

    def file(self, event: str, arguments: tuple[Any, ...]) -> None:
        """A file may be changed: a touch when it is one of ours."""
        path = arguments[0] if arguments else None
        if isinstance(path, os.PathLike):
            path = os.fspath(path)
        if isinstance(path, str) and path.startswith(self._root):
            self.touch(f"{event} {path.removeprefix(self._root)}")


class _Watched:
    def __init__(self, service: Any, points: FaultPoints) -> None:
        self._service, self._points = service, points

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._service, name)
        if not callable(found):
            return found
        return _watched(found, f"{type(self._service).__name__}.{name}", self._points)


def _watched(call: Callable[..., Any], name: str, points: FaultPoints) -> Callable[..., Any]:
    if not inspect.iscoroutinefunction(call):

        def touching(*arguments: Any, **named: Any) -> Any:
            points.touch(name)
            return call(*arguments, **named)

        return touching

    async def touching_later(*arguments: Any, **named: Any) -> Any:
        points.touch(name)
        answer = await call(*arguments, **named)
        points.touch(f"{name} answers")
        return answer

    return touching_later


_installed: list[bool] = []


def _install() -> None:
    if not _installed:
        sys.addaudithook(_hear)
        _installed.append(True)


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    points = FaultPoints.current
    if points is None:
        return
    if event in _CHANGES or (event == "open" and len(arguments) > 2 and (arguments[2] or 0) & _WRITING):
        points.file(event, arguments)
