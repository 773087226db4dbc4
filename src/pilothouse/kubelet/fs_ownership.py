"""Gives what is in a volume to a pod's fsGroup: group, modes, and the bit by which what is made there is the group's.

The walk runs in a thread, goes on when its pod's turn is over, and is joined by the next; what is stopped with the pod
is stopped at the next file. Everything is changed by descriptors below the root: containers of other pods may write
the volume meanwhile, and no link of theirs leads out. The root comes last: as it is, so is the rest. Upstream:
pkg/volume/volume_linux.go.
"""

import asyncio
import os
import stat
from collections.abc import Callable
from pathlib import Path

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.api import Recorder
from pilothouse.kubelet.events import reference
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log

log = Log(__name__)
_WRITABLE, _READABLE, _ENTERED = 0o660, 0o440, 0o110
_TOLD_AFTER, _TOLD_AGAIN = 30.0, 60.0
_AT_ONCE = 2
"""Walks at a time: the others wait, so that they leave threads for what is quick."""
_PAGE = (
    "https://kubernetes.io/docs/tasks/configure-pod-container/security-context/"
    "#configure-volume-permission-and-ownership-change-policy-for-pods"
)


def mode_for(mode: int, *, read_only: bool) -> int:
    """The mode of a file or directory that the group may use."""
    wanted = mode | (_READABLE if read_only else _WRITABLE)
    return wanted | _ENTERED | stat.S_ISGID if stat.S_ISDIR(mode) else wanted


def is_given(root: os.stat_result, group: int, *, read_only: bool) -> bool:
    """Whether a volume's root says that all of it is the group's already."""
    if not stat.S_ISDIR(root.st_mode) or root.st_gid != group:
        return False
    return mode_for(root.st_mode, read_only=read_only) == root.st_mode


class Walk:
    """One walk through a volume. Another thread may read `count` and set `stopped`."""

    def __init__(self, root: Path, group: int, *, read_only: bool) -> None:
        self.count = 0
        self.stopped = False
        self._root = root
        self._group = group
        self._read_only = read_only
        self._failed = 0

    def run(self) -> bool:
        """Change what is to be changed; whether that was all of it. Raises OSError for what cannot be listed.

        What cannot be changed stays as it is, as on a file system that knows no owners.
        """
        for _, directories, files, descriptor in os.fwalk(self._root, topdown=False, onerror=_fail):
            for name in (*files, *directories):
                if self.stopped:
                    return False
                self._change(name, descriptor)
        self._change(str(self._root), None)
        if self._failed:
            log.warning("Could not change all of a volume", path=str(self._root), failed=self._failed)
        return True

    def _change(self, name: str, above: int | None) -> None:
        self.count += 1
        try:
            found = os.stat(name, dir_fd=above, follow_symlinks=False)
            mode = found.st_mode
            # Of a link, the mode means nothing.
            wanted = mode if stat.S_ISLNK(mode) else mode_for(mode, read_only=self._read_only)
            if found.st_gid == self._group and wanted == mode:
                return
            os.chown(name, -1, self._group, dir_fd=above, follow_symlinks=False)
            if not stat.S_ISLNK(mode):
                _set_mode(name, above, stat.S_IMODE(wanted))
        except FileNotFoundError:
            return
        except OSError:
            self._failed += 1


def _set_mode(name: str, above: int | None, mode: int) -> None:
    """A mode by name alone would be that of what a link leads to."""
    descriptor = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=above)
    try:
        Path(f"/proc/self/fd/{descriptor}").chmod(mode)
    finally:
        os.close(descriptor)


def _fail(error: OSError) -> None:
    # What went away while we looked is no concern of ours.
    if not isinstance(error, FileNotFoundError):
        raise error


class FsOwnership:
    """The walks of a node."""

    def __init__(self, clock: Clock, recorder: Recorder | None) -> None:
        self._clock = clock
        self._recorder = recorder
        self._running: dict[tuple[str, Path], tuple[Walk, asyncio.Future[bool]]] = {}
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def give(self, pod: Pod, root: Path, group: int, *, read_only: bool) -> None:
        """Have all of it given. Raises OSError, also TimeoutError when it was stopped."""
        key = (pod.metadata.uid, root)
        if key not in self._running:
            await self._turns.acquire()
            walk = Walk(root, group, read_only=read_only)
            work = asyncio.get_running_loop().run_in_executor(None, walk.run)
            self._running[key] = (walk, work)
            telling = self._tell_of(walk, pod, root)
            work.add_done_callback(lambda _: self._over(key, telling))
        if not await asyncio.shield(self._running[key][1]):
            raise TimeoutError("stopped")

    def stop(self, uid: str) -> None:
        """Let the walks for a pod come to their end at the next file."""
        for key, (walk, _) in self._running.items():
            walk.stopped |= key[0] == uid

    async def stopped(self, uid: str) -> None:
        """Have no walk for a pod any more."""
        self.stop(uid)
        if mine := [work for key, (_, work) in self._running.items() if key[0] == uid]:
            await asyncio.wait(mine)

    def _over(self, key: tuple[str, Path], telling: "_Telling") -> None:
        telling.over()
        _, work = self._running.pop(key)
        if not work.cancelled():
            # Whoever waits has it; where nobody does any more, the next turn begins anew.
            work.exception()
        self._turns.release()

    def _tell_of(self, walk: Walk, pod: Pod, root: Path) -> "_Telling":
        uid = pod.metadata.uid
        _, found, below = str(root).partition(uid)

        def tell(message: str) -> None:
            if self._recorder is not None:
                self._recorder.event(reference(pod), "Warning", "VolumePermissionChangeInProgress", message)

        return _Telling(self._clock, tell, walk, f"{found}{below}" if found else str(root))


class _Telling:
    """Tells that a walk takes long, again and again until it is over."""

    def __init__(self, clock: Clock, tell: Callable[[str], None], walk: Walk, name: str) -> None:
        self._clock = clock
        self._tell = tell
        self._walk = walk
        self._what = f"Setting volume ownership for {name}"
        self._timer = clock.call_later(_TOLD_AFTER, self._first)

    def over(self) -> None:
        """Tell no more."""
        self._timer.cancel()

    def _first(self) -> None:
        self._tell(f"{self._what} is taking longer than expected, consider using OnRootMismatch - {_PAGE}")
        self._timer = self._clock.call_later(_TOLD_AGAIN, self._again)

    def _again(self) -> None:
        self._tell(f"{self._what}, processed {self._walk.count} files.")
        self._timer = self._clock.call_later(_TOLD_AGAIN, self._again)
