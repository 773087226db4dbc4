"""Modes and paths are printed as Go prints them."""

import stat

import pytest

from contract_images.agnhost.wording import permissions, quoted, reason, whole_mode


@pytest.mark.parametrize(
    ("mode", "printed"),
    [
        (stat.S_IFREG | 0o644, "-rw-r--r--"),
        (stat.S_IFREG | 0o4755, "urwxr-xr-x"),
        (stat.S_IFREG | 0o400, "-r--------"),
        (stat.S_IFDIR | 0o777, "drwxrwxrwx"),
        (stat.S_IFDIR | 0o1777, "dtrwxrwxrwx"),
        (stat.S_IFDIR | 0o2775, "dgrwxrwxr-x"),
        (stat.S_IFDIR | 0o3777, "dgtrwxrwxrwx"),
        (stat.S_IFCHR | 0o666, "Dcrw-rw-rw-"),
        (stat.S_IFIFO | 0o600, "prw-------"),
        (stat.S_IFSOCK | 0o600, "Srw-------"),
    ],
)
def test_kinds_and_special_bits_stand_in_front(mode: int, printed: str) -> None:
    assert whole_mode(mode) == printed


def test_permissions_know_no_kind() -> None:
    assert permissions(stat.S_IFDIR | 0o1750) == "-rwxr-x---"


def test_paths_are_quoted_and_errors_begin_small() -> None:
    assert quoted('/a "b"\\c') == '"/a \\"b\\"\\\\c"'
    assert reason(FileNotFoundError(2, "No such file or directory")) == "no such file or directory"
