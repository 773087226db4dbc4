"""Addresses: what a new cluster may use on this machine, so that it meets neither the machine's networks nor another
cluster's.
"""

import socket
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, ip_network

from pilothouse.cluster.errors import ClusterError

_PODS = ("10.244.0.0/16", "10.64.0.0/10")
_SERVICES = ("10.96.0.0/16", "10.128.0.0/10")
"""Upstream's usual range of each sort, then where to look for another."""
_ELSEWHERE = "203.0.113.1"
"""An address that is nobody's (RFC 5737): asking for the way there sends nothing."""


def machine_address() -> str:
    """The address that this machine shows to others; empty when it has none but loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((_ELSEWHERE, 9))
        except OSError:
            return ""
        found = str(probe.getsockname()[0])
    return "" if found.startswith("127.") else found


def is_ours(address: str) -> bool:
    """Whether an address is one of this machine's."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


def free_port(wanted: int, host: str = "0.0.0.0") -> int:
    """`wanted`, or another when it is taken or 0."""
    return wanted if wanted and is_free(wanted, host) else _any_port(host)


def is_free(port: int, host: str = "0.0.0.0") -> bool:
    """Whether somebody could listen there."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _any_port(host: str) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def choose_ranges(used: Iterable[IPv4Network]) -> tuple[str, str]:
    """The ranges of pods and of services: upstream's, or the next that nothing on this machine uses. Pure."""
    taken = list(used)
    pods = _first_free(_PODS, taken)
    services = _first_free(_SERVICES, [*taken, pods])
    return str(pods), str(services)


def _first_free(places: tuple[str, str], taken: list[IPv4Network]) -> IPv4Network:
    for candidate in _candidates(places):
        if not any(candidate.overlaps(each) for each in taken):
            return candidate
    raise ClusterError(f"no /16 network is free in {places[1]}: remove routes or clusters from this machine")


def _candidates(places: tuple[str, str]) -> Iterator[IPv4Network]:
    yield IPv4Network(places[0])
    yield from IPv4Network(places[1]).subnets(new_prefix=16)


def nth(network: str, number: int) -> str:
    """The address at a place in a network."""
    return str(ip_network(network)[number])
