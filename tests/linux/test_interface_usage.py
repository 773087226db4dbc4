"""What went through interfaces, from /proc/pid/net/dev."""

from pathlib import Path

import pytest

from pilothouse.linux.interface_usage import InterfaceUsage, interfaces, parse

TEXT = """\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:     100       1    0    0    0     0          0         0      100       1    0    0    0     0       0          0
  eth0:    1000      10    1    2    3     4          5         6     2000      20    7    8    9    10      11         12
veth1234:     1       1    0    0    0     0          0         0        1       1    0    0    0     0       0          0
 tun-a:5 6 0 0 0 0 0 0 7 8 0 0 0 0 0 0
"""  # noqa: E501 - as the kernel writes it


def test_each_interface_counts_but_those_that_nobody_asks_for() -> None:
    assert parse(TEXT) == (
        InterfaceUsage("eth0", 1000, 10, 1, 2, 2000, 20, 7, 8),
        InterfaceUsage("tun-a", 5, 6, 0, 0, 7, 8, 0, 0),
    )


def test_a_process_that_is_gone_has_none(tmp_path: Path) -> None:
    assert interfaces(7, tmp_path) == ()
    (tmp_path / "proc/7/net").mkdir(parents=True)
    (tmp_path / "proc/7/net/dev").write_text(TEXT)
    assert [one.name for one in interfaces(7, tmp_path)] == ["eth0", "tun-a"]


@pytest.mark.parametrize("text", ["", "a\nb\n"])
def test_none_at_all(text: str) -> None:
    assert parse(text) == ()
