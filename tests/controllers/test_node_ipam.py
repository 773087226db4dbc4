import ipaddress
from typing import Any

import pytest

from fakes.api import FakeApi
from pilothouse.api.machinery.errors import InternalError
from pilothouse.api.types.core_v1 import Event, Node
from pilothouse.client.client import Client
from pilothouse.controllers.node_ipam import NodeIpamController, NodeRanges, Pool
from pilothouse.reconcile.runner import run_all
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.loop import run


def _pool(network: str, size: int) -> Pool:
    return Pool(ipaddress.ip_network(network), size)


def test_ranges_are_given_out_in_turn_and_rest_before_they_are_used_again() -> None:
    pool = _pool("10.0.0.0/22", 24)
    assert [str(pool.take(name)) for name in "abcde"] == [
        "10.0.0.0/24",
        "10.0.1.0/24",
        "10.0.2.0/24",
        "10.0.3.0/24",
        "None",
    ]
    pool.release(ipaddress.ip_network("10.0.1.0/24"), "b")
    pool.release(ipaddress.ip_network("10.0.3.0/24"), "d")
    assert str(pool.take("f")) == "10.0.1.0/24"


@pytest.mark.parametrize(
    ("held", "first"),
    [
        ("10.0.0.0/24", "10.0.1.0/24"),
        ("10.0.0.0/23", "10.0.2.0/24"),
        ("10.0.0.128/25", "10.0.1.0/24"),
        ("10.0.1.0/24", "10.0.0.0/24"),
        ("10.0.0.0/8", "None"),
        ("10.9.0.0/24", "10.0.0.0/24"),
        ("fd00::/64", "10.0.0.0/24"),
    ],
)
def test_what_overlaps_is_held(held: str, first: str) -> None:
    pool = _pool("10.0.0.0/22", 24)
    pool.hold(ipaddress.ip_network(held), "x")
    assert str(pool.take("a")) == first


def test_a_range_of_two_holders_is_free_when_both_let_go() -> None:
    pool, network = _pool("10.0.0.0/24", 24), ipaddress.ip_network("10.0.0.0/24")
    for name in "ab":
        pool.hold(network, name)
    pool.release(network, "a")
    assert pool.take("c") is None
    pool.release(network, "b")
    assert pool.take("c") == network


def test_ranges_of_the_other_family() -> None:
    pool = _pool("fd00:10::/56", 64)
    assert [str(pool.take(name)) for name in "ab"] == ["fd00:10::/64", "fd00:10:0:1::/64"]


@pytest.mark.parametrize(("network", "size"), [("10.0.0.0/24", 16), ("fd00::/32", 64), ("10.0.0.0/24", 33)])
def test_sizes_that_do_not_fit(network: str, size: int) -> None:
    with pytest.raises(ValueError, match="cannot be cut"):
        _pool(network, size)


def test_services_keep_their_range() -> None:
    (pool,) = NodeRanges(("10.0.0.0/22",), services=("10.0.0.0/23",)).pools()
    assert str(pool.take("a")) == "10.0.2.0/24"


def _node(name: str, *ranges: str) -> dict[str, Any]:
    spec = {"podCIDR": ranges[0], "podCIDRs": list(ranges)} if ranges else {}
    return {"metadata": {"name": name}, "spec": spec}


async def _ranges(client: Client) -> dict[str, tuple[str, ...]]:
    return {node.metadata.name: tuple(node.spec.podCIDRs) for node in (await client.list(Node)).items}


def test_nodes_get_ranges_that_no_other_has() -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        api = FakeApi(clock)
        client = api.client()
        api.add("v1", "Node", _node("old", "10.0.0.0/24"))
        api.add("v1", "Node", _node("odd", "not a network"))
        async with Tasks() as tasks:
            ranges = NodeRanges(("10.0.0.0/22", "fd00::/60"))
            run_all(
                [NodeIpamController], api.client, clock, chance, tasks, make=lambda _, t: NodeIpamController(t, ranges)
            )
            await clock.sleep(1)
            for name in "abcd":
                api.add("v1", "Node", _node(name))
            await clock.sleep(1)
            assert await _ranges(client) == {
                "old": ("10.0.0.0/24",),
                "odd": ("not a network",),
                "a": ("10.0.1.0/24", "fd00::/64"),
                "b": ("10.0.2.0/24", "fd00:0:0:1::/64"),
                "c": ("10.0.3.0/24", "fd00:0:0:2::/64"),
                "d": (),
            }
            (event,) = [found.raw for found in (await client.list(Event)).items]
            assert (event["reason"], event["message"], event["type"]) == (
                "CIDRNotAvailable",
                "Node d status is now: CIDRNotAvailable",
                "Normal",
            )
            assert event["source"]["component"] == "cidrAllocator"
            await client.delete(Node, "b")
            await clock.sleep(1)
            assert (await _ranges(client))["d"] == ("10.0.2.0/24", "fd00:0:0:3::/64")

    run(main)


def test_a_write_that_failed_is_tried_again_with_the_same_range() -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        api = FakeApi(clock)
        failures = [InternalError("no")]
        api.fail = lambda method, _path: failures.pop() if method == "PATCH" and failures else None
        async with Tasks() as tasks:
            ranges = NodeRanges(("10.0.0.0/23",))
            run_all(
                [NodeIpamController], api.client, clock, chance, tasks, make=lambda _, t: NodeIpamController(t, ranges)
            )
            for name in "ab":
                api.add("v1", "Node", _node(name))
            await clock.sleep(1)
        assert await _ranges(api.client()) == {"a": ("10.0.0.0/24",), "b": ("10.0.1.0/24",)}

    run(main)
