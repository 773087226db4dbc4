"""Mounts: tmpfs and bind mounts by system call, and removal of a tree that can never reach through one.

mount(2), umount2(2), proc(5) on mountinfo; openat2(2) for paths that others chose.
"""

import ctypes
import errno
import os
import shutil
import struct
from pathlib import Path

_MS_BIND, _MS_REC, _MS_SLAVE, _MS_SHARED = 0x1000, 0x4000, 0x80000, 0x100000
_MNT_DETACH, _UMOUNT_NOFOLLOW = 2, 8
_SYS_OPENAT2 = 437
_RESOLVE_NO_MAGICLINKS, _RESOLVE_IN_ROOT = 0x02, 0x10


class MountedError(OSError):
    """Something is still mounted below a directory that was to be removed."""


class Mounts:
    """The kernel's mounts, in our mount namespace."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)

    def tmpfs(self, path: Path, size: int = 0, mode: int = 0o755) -> None:
        """Mount memory at `path`; `size` in bytes, 0 for the kernel's default of half the RAM."""
        options = f"mode={mode:o}" + (f",size={size}" if size else "")
        self._mount("tmpfs", path, "tmpfs", 0, options)

    def bind(self, source: Path, target: Path) -> None:
        """Show `source` at `target` as well, with what is mounted below it now and later.

        Never the other way round: where `source` is shared, as all is on a machine with systemd, to take away what is
        seen below `target` would take it from the machine itself. Whom `target` is shown to sees its mounts, though.
        """
        self._show(source, target)
        self._mount("", target, "", _MS_SLAVE | _MS_REC, "")
        self._mount("", target, "", _MS_SHARED | _MS_REC, "")

    def share(self, path: Path) -> None:
        """Make a directory a mount of its own whose later mounts are seen wherever it is shown."""
        self._show(path, path)
        self._mount("", path, "", _MS_SHARED | _MS_REC, "")

    def unmount(self, path: Path, *, lazily: bool = True) -> None:
        """Take the mount at `path` away, lazily even while it is used; none there is fine."""
        flags = _UMOUNT_NOFOLLOW | (_MNT_DETACH if lazily else 0)
        if self._libc.umount2(os.fsencode(path), flags) and ctypes.get_errno() not in (
            errno.EINVAL,
            errno.ENOENT,
        ):
            self._fail(path)

    def _show(self, source: Path, target: Path) -> None:
        self._mount(str(source), target, "", _MS_BIND | _MS_REC, "")

    def _mount(self, source: str, target: Path, kind: str, flags: int, options: str) -> None:
        if self._libc.mount(source.encode(), os.fsencode(target), kind.encode(), flags, options.encode()):
            self._fail(target)

    def _fail(self, path: Path) -> None:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(path))

    def below(self, path: Path) -> list[Path]:
        """Mount points at or below `path`, the deepest last mounted first."""
        wanted = str(_resolved(path))
        within = f"{wanted.rstrip('/')}/"
        points = _points(wanted)
        return [Path(point) for point in points if point == wanted or point.startswith(within)][::-1]

    def is_mounted(self, path: Path) -> bool:
        """Whether something is mounted exactly at `path`."""
        wanted = str(_resolved(path))
        return wanted in _points(wanted)

    def remove_tree(self, path: Path) -> None:
        """Delete a directory with all in it. Raises MountedError rather than reach through a mount; follows no link."""
        if path.is_symlink() or not path.exists():
            path.unlink(missing_ok=True)
            return
        if left := self.below(path):
            raise MountedError(errno.EBUSY, "still mounted", str(left[0]))
        shutil.rmtree(path)

    def open_within(self, root: Path, relative: str) -> int:
        """A descriptor of `relative` below `root`, where links cannot lead out. The caller closes it."""
        how = struct.pack("=QQQ", os.O_PATH | os.O_CLOEXEC, 0, _RESOLVE_IN_ROOT | _RESOLVE_NO_MAGICLINKS)
        descriptor = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            found = self._libc.syscall(_SYS_OPENAT2, descriptor, os.fsencode(relative), how, len(how))
        finally:
            os.close(descriptor)
        if found < 0:
            self._fail(root / relative)
        return int(found)


def _resolved(path: Path) -> Path:
    """Without a look at what is mounted there: a server that is gone would have us wait."""
    return path.parent.resolve() / path.name


def _points(wanted: str) -> list[str]:
    """The mount points that may have to do with a path. A full node has thousands, so others are not looked at."""
    told = Path("/proc/self/mountinfo").read_bytes()
    sign = b" " + _escape(os.fsencode(wanted))
    if sign not in told:
        return []
    return [os.fsdecode(_unescape(line.split(maxsplit=5)[4])) for line in told.split(b"\n") if sign in line]


_ESCAPES = ((b"\\", b"\\134"), (b" ", b"\\040"), (b"\t", b"\\011"), (b"\n", b"\\012"))
"""How the kernel writes what would end a field; the sign of escapes first."""


def _escape(text: bytes) -> bytes:
    for sign, code in _ESCAPES:
        text = text.replace(sign, code)
    return text


def _unescape(text: bytes) -> bytes:
    for sign, code in reversed(_ESCAPES):
        text = text.replace(code, sign)
    return text
