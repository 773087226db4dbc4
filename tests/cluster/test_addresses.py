"""Addresses: upstream's ranges where they are free, the next where not, and ports likewise."""

import socket
from ipaddress import IPv4Network

import pytest

from pilothouse.cluster.addresses import choose_ranges, free_port, is_free, is_ours, nth
from pilothouse.cluster.errors import ClusterError


@pytest.mark.parametrize(
    ("used", "ranges"),
    [
        ([], ("10.244.0.0/16", "10.96.0.0/16")),
        (["192.168.0.0/16"], ("10.244.0.0/16", "10.96.0.0/16")),
        (["10.244.0.0/24", "10.96.0.10/32"], ("10.64.0.0/16", "10.128.0.0/16")),
        (["10.244.0.0/24", "10.64.0.0/24", "10.96.0.10/32", "10.128.0.10/32"], ("10.65.0.0/16", "10.129.0.0/16")),
        (["10.0.0.0/9"], ("10.244.0.0/16", "10.128.0.0/16")),
    ],
)
def test_ranges(used: list[str], ranges: tuple[str, str]) -> None:
    assert choose_ranges(map(IPv4Network, used)) == ranges


def test_no_range_left() -> None:
    with pytest.raises(ClusterError, match="no /16 network is free"):
        choose_ranges([IPv4Network("10.0.0.0/8")])


def test_nth() -> None:
    assert nth("10.96.0.0/16", 10) == "10.96.0.10"


def test_a_taken_port_is_replaced() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not is_free(port, "127.0.0.1")
        assert free_port(port, "127.0.0.1") != port
    assert free_port(port, "127.0.0.1") == port


def test_which_addresses_are_ours() -> None:
    assert is_ours("127.0.0.1")
    assert not is_ours("203.0.113.7")
