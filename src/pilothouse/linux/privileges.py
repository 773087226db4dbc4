"""Privileges given up for good: a process that root started becomes another user, keeping at most what it names.

capabilities(7), prctl(2), credentials(7). The calls go straight to the C library: nothing is executed, so the kept
capability needs not be ambient.
"""

import ctypes
import os
from collections.abc import Sequence

CAP_DAC_READ_SEARCH = 2
CAP_NET_BIND_SERVICE = 10
_PR_SET_NAME, _PR_SET_KEEPCAPS, _PR_SET_NO_NEW_PRIVS = 15, 8, 38
_VERSION_3 = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Data(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def become(user: int, keep: Sequence[int] = ()) -> None:
    """Be `user`, in no group but its own, with the capabilities in `keep` alone. There is no way back.

    Raises PermissionError when we are not root.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    os.setgroups([])
    if keep:
        _check(libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0))
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    if keep:
        wanted = sum(1 << number for number in keep)
        data = (_Data * 2)(_Data(wanted & 0xFFFFFFFF, wanted & 0xFFFFFFFF, 0), _Data(wanted >> 32, wanted >> 32, 0))
        header = _Header(_VERSION_3, 0)
        _check(libc.capset(ctypes.byref(header), data))
    _check(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))


def name_process(name: str) -> None:
    """Let the process be shown as `name`, 15 letters at most, by ps and top."""
    libc = ctypes.CDLL(None, use_errno=True)
    _check(libc.prctl(_PR_SET_NAME, name.encode(), 0, 0, 0))


def _check(status: int) -> None:
    if status:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
