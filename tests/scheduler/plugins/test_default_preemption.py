from typing import Any

import pytest

from pilothouse.api.types.policy_v1 import PodDisruptionBudget
from pilothouse.client.client import Page
from pilothouse.client.informer import Informer
from pilothouse.runtime.chance import Chance
from pilothouse.scheduler.cycle import Cycle
from pilothouse.scheduler.framework import Diagnosis, Room
from pilothouse.scheduler.nodes import Nodes
from pilothouse.scheduler.plugins.default_preemption import DefaultPreemption
from pilothouse.scheduler.plugins.node_affinity import NodeAffinity
from pilothouse.scheduler.plugins.node_resources_fit import NodeResourcesFit
from pilothouse.scheduler.pod_info import PodInfo
from pilothouse.scheduler.preemption import NOBODY, USELESS
from scheduler.samples import cluster, info, node

WANTED: dict[str, Any] = {"requests": {"cpu": "4"}, "priority": 10}


def _budgets(*raw: dict[str, Any]) -> Informer[PodDisruptionBudget]:
    found: Informer[PodDisruptionBudget] = Informer()
    found.replace(Page(tuple(PodDisruptionBudget(one) for one in raw), "1", ""))
    return found


def _room(nodes: Nodes, pod: PodInfo, *budgets: dict[str, Any]) -> tuple[Diagnosis, Room]:
    preemption = DefaultPreemption(_budgets(*budgets).lister, Chance(3))
    cycle = Cycle([NodeAffinity(), NodeResourcesFit(), preemption], nodes, Chance(1))
    found = cycle.place(pod)
    assert isinstance(found, Diagnosis)
    return found, cycle.make_room(pod, found)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"requests": {"cpu": "9"}}, f"0/2 nodes are available: 2 {USELESS}."),
        ({"priority": 0}, f"0/2 nodes are available: 2 {NOBODY}."),
        ({"nodeSelector": {"zone": "a"}, "priority": 0},
         f"0/2 nodes are available: 1 {NOBODY}, 1 {USELESS}."),
        ({"preemptionPolicy": "Never"}, "not eligible due to preemptionPolicy=Never."),
    ],
)  # fmt: skip
def test_why_no_room_can_be_made(more: dict[str, Any], message: str) -> None:
    nodes = cluster(node("a", labels={"zone": "a"}), node("b"), running=(
        info("x", requests={"cpu": "1"}, on="a"), info("y", requests={"cpu": "1"}, on="b"),
    ))  # fmt: skip
    _, room = _room(nodes, info("new", **{**WANTED, **more}))
    assert room.message == f"preemption: {message}"
    assert room.node == (None if "eligible" in message else "")


def test_budgets_are_watched() -> None:
    nodes = cluster(node("a"), node("b"), running=(
        info("x", requests={"cpu": "1"}, on="a", labels={"app": "web"}), info("y", requests={"cpu": "1"}, on="b"),
    ))  # fmt: skip
    spec = {"selector": {"matchLabels": {"app": "web"}}}
    budget = {"metadata": {"name": "web", "namespace": "ns"}, "spec": spec, "status": {"disruptionsAllowed": 0}}
    wrong = {"metadata": {"name": "wrong", "namespace": "ns"},
             "spec": {"selector": {"matchExpressions": [{"key": "app", "operator": "Sometimes"}]}}}  # fmt: skip
    _, room = _room(nodes, info("new", **WANTED), budget, wrong)
    assert (room.node, room.message, [one.key.name for one in room.victims]) == ("b", "", ["y"])


def test_room_made_before_is_waited_for() -> None:
    leaving = {"conditions": [{"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}]}
    victim = info("x", requests={"cpu": "1"}, on="a", status=leaving)
    victim.pod.raw["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    nodes = cluster(node("a"), running=(victim,))
    pod = info("new", **WANTED, status={"nominatedNodeName": "a"})
    diagnosis, room = _room(nodes, pod)
    assert diagnosis.message == "0/1 nodes are available: 1 Insufficient cpu."
    assert room == Room("preemption: not eligible due to a terminating pod on the nominated node.")
    nodes.set_node(node("a", cpu="2"))
    assert _room(nodes, pod)[1].node == ""


def test_where_all_are_as_important_no_node_is_looked_at() -> None:
    running = tuple(info(f"x{n}", requests={"cpu": "1"}, priority=10, on=f"n{n}") for n in range(20))
    nodes = cluster(*(node(f"n{number}") for number in range(20)), node("small", cpu="1"), running=running)
    pod = info("new", **WANTED)
    diagnosis, room = _room(nodes, pod)
    assert room.message == f"preemption: 0/21 nodes are available: 1 {USELESS}, 20 {NOBODY}."
    nodes.set_pod(info("x0", requests={"cpu": "1"}, priority=9, on="n0"))
    assert _room(nodes, pod)[1].node == "n0"
    nodes.remove_pod("uid-x0")

    def refuses(*_: object) -> None:
        raise AssertionError("a node was looked at")

    preemption = DefaultPreemption(_budgets().lister, Chance(3))
    assert preemption.make_room(pod, nodes, diagnosis, refuses) == room
