"""Devices have a say in where containers are. Facts of upstream's topology_hints_test.go of the device manager."""

from pathlib import Path

import pytest

from kubelet.devices.handing_out import GOOD, Bench, serve, user, wanting
from kubelet.managers.giving import config
from kubelet.managers.machines import machine
from pilothouse.kubelet.devices.stock import Device, Supply
from pilothouse.kubelet.managers.device_hints import NearDevices, possible, together
from pilothouse.kubelet.managers.hand_out import Affinities
from pilothouse.kubelet.managers.hints import Hint, Unavailable
from pilothouse.kubelet.managers.policy import Exclusive
from pilothouse.kubelet.managers.setting_up import set_up


def some(nodes: str) -> list[Device]:
    """One device near each."""
    return [Device(f"d{number}", nodes=(int(node),)) for number, node in enumerate(nodes)]


def shown(hints: list[Hint]) -> str:
    return " ".join("".join(map(str, sorted(one.nodes or ()))) + ("+" if one.preferred else "-") for one in hints)


@pytest.mark.parametrize(
    ("supply", "hints"),
    [
        (Supply(1, some("01"), some("01")), "0+ 1+ 01-"),
        (Supply(1, some("01"), some("1")), "1+ 01-"),
        (Supply(2, some("01"), some("01")), "01+"),
        (Supply(2, some("0011"), some("01")), "01-"),
        (Supply(3, some("01"), some("01")), ""),
        (Supply(2, some("0011"), some("01"), some("1")), "1+ 01-"),
        (Supply(2, some("0011"), some("00"), (), some("11")), "1+ 01-"),
        (Supply(2, some("0011"), some("00"), (), some("1")), ""),
    ],
)
def test_devices_are_where_they_are(supply: Supply, hints: str) -> None:
    assert shown(possible((0, 1), supply)) == hints


def test_a_pod_needs_what_runs_at_the_same_time() -> None:
    one = user("a", wanting(2), wanting(1, "b"), initContainers=[
        wanting(5, "i"), wanting(1, "s", restartPolicy="Always"),
    ])  # fmt: skip
    every = some("0")
    each = [*zip(one.spec.initContainers, (5, 1), strict=True), *zip(one.spec.containers, (2, 1), strict=True)]
    asked = [(container, Supply(size, every, every)) for container, size in each]
    assert together(one, asked) == Supply(5, every, every)
    assert together(one, asked[1:]).size == 4
    held = Supply(2, every, every, (), every)
    assert together(one, [(one.spec.containers[0], held)]).held == tuple(every)


@pytest.mark.parametrize(
    ("policy", "scope", "expected"),
    [
        ("none", "container", ["ab", "c", "UnexpectedAdmissionError"]),
        ("best-effort", "container", ["ad", "b", "UnexpectedAdmissionError"]),
        ("single-numa-node", "container", ["ad", "b", "TopologyAffinityError"]),
        ("single-numa-node", "pod", ["ad", "b", "TopologyAffinityError"]),
    ],
)
def test_plugins_give_what_is_near(policy: str, scope: str, expected: list[str], tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        affinities, exclusive = Affinities(), Exclusive(topology_policy=policy, topology_scope=scope)
        bench.devices._near = affinities.near
        given = set_up(config(tmp_path, exclusive), bench.devices, lambda: None, affinities, lambda: machine(2, 2))
        async with bench.plugin(a=GOOD, b=GOOD, c=GOOD, d=GOOD) as plugin:
            plugin.nodes = {"a": [0], "b": [1], "c": [1], "d": [0]}
            await bench.connect(plugin)
            found = []
            for one in (user("one", wanting(1), wanting(1, "b")), user("two"), user("three", wanting(2))):
                refusal = await given.handout.hand_out(one)
                found.append(refusal.reason if refusal else bench.held(one) + bench.held(one, "b"))
            assert found == expected

    serve(tmp_path, story)


def test_a_plugin_that_fails_refuses_the_pod(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        near = NearDevices(bench.devices, (0, 1))
        async with bench.plugin(a=GOOD) as plugin:
            plugin.wrong["Allocate"] = "burnt"
            await bench.connect(plugin)
            one = user("one")
            assert near.hints(one, one.spec.containers[0]) == near.pod_hints(one) == {}  # near to none
            with pytest.raises(Unavailable, match="Allocate failed due to rpc error: code = Unknown desc = burnt, "):
                await near.allocate(one, one.spec.containers[0], None)

    serve(tmp_path, story)
