"""Links, addresses and routes, in a network namespace of the test's own."""

import ctypes
import os
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from pilothouse.linux.netlink import LinkError, Netlink

pytestmark = pytest.mark.node
NAME = f"ph-netlink-{os.getpid()}"
Within = Callable[[Callable[[Netlink], object]], object]


@pytest.fixture
def within() -> Iterator[Within]:
    """Calls what it is given in the namespace."""
    subprocess.run(["ip", "netns", "add", NAME], check=True)

    def enter() -> None:
        there = os.open(f"/run/netns/{NAME}", os.O_RDONLY)
        assert ctypes.CDLL(None).setns(there, 0) == 0
        os.close(there)

    def call(what: Callable[[Netlink], object]) -> object:
        with Netlink() as netlink:
            return what(netlink)

    with ThreadPoolExecutor(1, initializer=enter) as pool:
        yield lambda what: pool.submit(call, what).result()
    subprocess.run(["ip", "netns", "del", NAME], check=True)


def test_each_step_may_be_repeated(within: Within) -> None:
    def scenario(netlink: Netlink) -> None:
        for _ in range(2):
            netlink.ensure_bridge("br0", 1400)
            netlink.ensure_address("br0", "192.0.2.1/24")
            netlink.ensure_route("10.1.0.0/16", gateway="192.0.2.2")
            netlink.ensure_route("10.2.0.0/16", link="br0")
        assert netlink.filter_bridged("br0")
        assert netlink.addresses("br0")[0] == "192.0.2.1/24"
        assert netlink.our_routes() == {"10.1.0.0/16": "192.0.2.2", "10.2.0.0/16": ""}
        assert netlink.is_reachable("10.2.0.1")
        for _ in range(2):
            netlink.remove_route("10.2.0.0/16")
            netlink.remove_address("br0", "192.0.2.1/24")
        assert not netlink.is_reachable("10.2.0.1")
        assert netlink.has_link("br0")
        for _ in range(2):
            netlink.remove_link("br0")
        assert not netlink.has_link("br0")

    within(scenario)


def test_errors_name_what_was_tried(within: Within) -> None:
    def scenario(netlink: Netlink) -> None:
        with pytest.raises(LinkError, match="there is no network link nope"):
            netlink.ensure_address("nope", "192.0.2.1/24")
        with pytest.raises(LinkError, match=r"cannot route 10\.1\.0\.0/16"):
            netlink.ensure_route("10.1.0.0/16", gateway="203.0.113.9")

    within(scenario)


def test_hardware_address_of_a_bridge_stays_as_ports_come(within: Within) -> None:
    def scenario(netlink: Netlink) -> None:
        netlink.ensure_bridge("br0", hardware="0a:58:0a:f4:03:01")
        line = ["nsenter", f"--net=/run/netns/{NAME}", "ip", "link"]
        port = ["add", "v0", "address", "02:00:00:00:00:01", "type", "veth", "peer", "name", "v1"]
        subprocess.run([*line, *port], check=True)
        subprocess.run([*line, "set", "v0", "master", "br0", "up"], check=True)
        shown = subprocess.run([*line, "show", "br0"], check=True, capture_output=True, text=True).stdout
        assert "0a:58:0a:f4:03:01" in shown

    within(scenario)
