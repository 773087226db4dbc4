"""A node's network made and undone, in a network namespace of the test's own."""

import asyncio
import ctypes
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson
import pytest

from fakes.api import FakeApi
from pilothouse.linux.netlink import LinkError, Netlink
from pilothouse.linux.nftables import Nft
from pilothouse.network.main import NetworkConfig, Trace, remove, run
from pilothouse.network.node_network import build, follow_routes
from pilothouse.network.plan import plan
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import SystemClock
from pilothouse.runtime.tasks import Tasks

NAME = f"ph-network-{os.getpid()}"
pytestmark = pytest.mark.node


@pytest.fixture
def inside() -> Iterator[ThreadPoolExecutor]:
    """A thread that stands in the namespace; the loop of the test takes it for its own."""
    subprocess.run(["ip", "netns", "add", NAME], check=True)

    def enter() -> None:
        there = os.open(f"/run/netns/{NAME}", os.O_RDONLY)
        assert ctypes.CDLL(None).setns(there, 0) == 0
        os.close(there)

    pool = ThreadPoolExecutor(1, initializer=enter)
    try:
        subprocess.run(["nsenter", f"--net=/run/netns/{NAME}", "ip", "link", "set", "lo", "up"], check=True)
        yield pool
    finally:
        pool.shutdown()
        subprocess.run(["ip", "netns", "del", NAME], check=True)


def shown(command: str) -> str:
    line = ["nsenter", f"--net=/run/netns/{NAME}", *command.split()]
    return subprocess.run(line, capture_output=True, text=True, check=True).stdout


def everything() -> str:
    lines = [shown(c) for c in ("ip -o link", "ip -o -4 addr", "ip route show table all", "nft list ruleset")]
    return "".join(lines) + shown("sysctl net.ipv4.ip_forward")


@pytest.mark.parametrize("drops", [False, True])
def test_made_and_undone(inside: ThreadPoolExecutor, tmp_path: Path, drops: bool) -> None:
    if drops:
        shown("iptables -P FORWARD DROP")
    nft = Nft(("nsenter", f"--net=/run/netns/{NAME}"))
    traces: list[Trace] = []
    config = NetworkConfig("n1", "test", tmp_path / "cni", tmp_path / "addresses", traces.append, nft=nft)

    async def scenario() -> None:
        asyncio.get_running_loop().set_default_executor(inside)
        clock = SystemClock()
        api = FakeApi(clock)
        api.add("v1", "Node", {"metadata": {"name": "n1"}, "spec": {}})
        made = asyncio.Event()
        async with Tasks() as tasks:
            for _ in range(2):  # the second time everything is there
                made.clear()
                task = tasks.spawn(run(config, api.client(), clock, Chance(1), made.set), name="network")
                if not (tmp_path / "cni").exists():
                    await clock.sleep(0.05)
                    assert not made.is_set()
                    api.put("nodes", "", "n1", {"spec": {"podCIDR": "10.244.7.0/24"}})
                await made.wait()
                task.cancel()
        addresses = shown("ip -o -4 addr")
        assert "ph-test" in addresses
        assert "10.244.7.1/24" in addresses
        assert "10.96.0.10/32 scope host lo" in addresses
        assert "10.96.0.0/16 dev ph-test" in shown("ip route")
        assert shown("nft list table ip pilothouse-test-network").count("masquerade") == 1
        assert "1" in shown("sysctl net.ipv4.ip_forward")
        assert shown("iptables -S FORWARD").count("-j ACCEPT") == (2 if drops else 0)
        await remove(traces, nft)
        await remove(traces, nft)

    shown("iptables -S FORWARD")
    before = everything()
    asyncio.run(scenario())
    assert everything() == before
    written = orjson.loads((tmp_path / "cni" / "10-pilothouse.conflist").read_bytes())
    assert written["plugins"][0]["ipam"]["ranges"] == [[{"subnet": "10.244.7.0/24"}]]


PORTMAP = ("-N CNI-HOSTPORT-DNAT", "-A PREROUTING -j CNI-HOSTPORT-DNAT")
"""What the plug-in for host ports leaves in the nat table when the last pod has gone."""


async def made(traces: list[Trace], nft: Nft) -> None:
    planned = plan("test", "10.244.7.0/24", "")
    await build(planned, cluster_cidr="10.244.0.0/16", service_cidr="", mtu=0, record=traces.append, nft=nft)


@pytest.mark.parametrize(
    ("foreign", "left"), [("", []), ("-A POSTROUTING -j MASQUERADE", ["-A POSTROUTING -j MASQUERADE"])]
)
def test_tables_of_iptables_go_when_nobody_uses_them(inside: ThreadPoolExecutor, foreign: str, left: list[str]) -> None:
    nft = Nft(("nsenter", f"--net=/run/netns/{NAME}"))
    traces: list[Trace] = []

    async def scenario() -> None:
        asyncio.get_running_loop().set_default_executor(inside)
        await made(traces, nft)
        for words in (*PORTMAP, foreign):
            if words:
                shown(f"iptables -t nat {words}")
        await remove(traces, nft)

    asyncio.run(scenario())
    assert ("table ip nat" in shown("nft list tables")) == bool(left)
    assert "CNI" not in shown("nft list ruleset")
    if left:
        assert [line for line in shown("iptables -t nat -S").splitlines() if line.startswith("-A")] == left


def test_what_others_left_in_those_tables_stays(inside: ThreadPoolExecutor) -> None:
    nft = Nft(("nsenter", f"--net=/run/netns/{NAME}"))
    traces: list[Trace] = []

    async def scenario() -> None:
        asyncio.get_running_loop().set_default_executor(inside)
        await made(traces, nft)
        await remove(traces, nft)

    for words in PORTMAP:
        shown(f"iptables -t nat {words}")
    before = everything()
    asyncio.run(scenario())
    assert everything() == before


def test_routes_to_other_nodes_come_and_go(inside: ThreadPoolExecutor) -> None:
    traces: list[Trace] = []

    def scenario() -> None:
        with Netlink() as netlink:
            netlink.ensure_bridge("br0")
            netlink.ensure_address("br0", "192.0.2.1/24")
        follow_routes({"10.244.2.0/24": "192.0.2.2", "10.244.3.0/24": "192.0.2.3"}, traces.append)
        follow_routes({"10.244.2.0/24": "192.0.2.4"}, traces.append)

    inside.submit(scenario).result()
    assert "10.244.2.0/24 via 192.0.2.4" in shown("ip route")
    assert "10.244.3.0/24" not in shown("ip route")
    assert [trace.name for trace in traces] == ["10.244.2.0/24", "10.244.3.0/24", "10.244.2.0/24"]


def test_a_link_that_is_not_there_is_named(inside: ThreadPoolExecutor) -> None:
    def scenario() -> None:
        with Netlink() as netlink, pytest.raises(LinkError, match="there is no network link nope"):
            netlink.ensure_address("nope", "192.0.2.1/24")

    inside.submit(scenario).result()
