"""Who has to go. The rules are those of upstream's preemption; numbers are worked out by hand."""

from typing import Any

import pytest

from pilothouse.api.machinery.selectors import from_label_selector
from pilothouse.api.types.core_v1 import Node
from pilothouse.scheduler.framework import Refusal
from pilothouse.scheduler.nodes import NodeInfo
from pilothouse.scheduler.plugins.node_ports import NodePorts
from pilothouse.scheduler.plugins.node_resources_fit import NodeResourcesFit
from pilothouse.scheduler.pod_info import PodInfo
from pilothouse.scheduler.preemption import (
    NEVER,
    NOBODY,
    TERMINATING,
    USELESS,
    Budget,
    Candidate,
    find_room,
    ineligible,
    select_victims,
    violating,
)
from scheduler.samples import alone, info, node

FIT, PORTS = NodeResourcesFit(), NodePorts()
WEB = {"app": "web"}


def refuses(pod: PodInfo, at: NodeInfo) -> Refusal | None:
    return FIT.refuse(pod, at) or PORTS.refuse(pod, at)


def there(name: str, cpu: str = "1", priority: int = 0, started: str = "2026-01-01T00:00:00Z", **more: Any) -> PodInfo:
    return info(name, requests={"cpu": cpu}, priority=priority, status={"startTime": started or None}, on="n", **more)


def place(*pods: PodInfo, name: str = "n", cpu: str = "4") -> NodeInfo:
    view: Node = node(name, cpu=cpu)
    for pod in pods:
        pod.node_name = name
    return alone(view, *pods)


def budget(allowed: int, labels: Any = WEB, namespace: str = "ns", disrupted: frozenset[str] = frozenset()) -> Budget:
    return Budget(namespace, from_label_selector({"matchLabels": labels}), allowed, disrupted)


WANTED = info("new", requests={"cpu": "2"}, priority=10)


@pytest.mark.parametrize(
    ("running", "budgets", "found"),
    [
        ([there("a", "4", 10)], [], (NOBODY,)),
        ([there("a", "3", 10), there("b")], [], ("Insufficient cpu",)),
        ([there("a", "4")], [], (["a"], 0)),
        # Those stay that can: the more important first, then the older.
        ([there("a", priority=1), there("b", priority=2), there("c", priority=3), there("d", priority=4)], [],
         (["b", "a"], 0)),
        ([there("old", "2", started="2026-01-01T00:00:00Z"), there("new", "2", started="2026-01-02T00:00:00Z")], [],
         (["new"], 0)),
        ([there("running", "2"), there("waiting", "2", started="")], [], (["waiting"], 0)),
        ([there("small"), there("large", "3")], [], (["large"], 0)),
        # What a budget protects is let back first, even where it is less important.
        ([there("a", "2", 1, labels=WEB), there("b", "2", 2)], [budget(0)], (["b"], 0)),
        ([there("a", "2", 1, labels=WEB), there("b", "2", 2)], [budget(1)], (["a"], 0)),
        ([there("a", "4", labels=WEB)], [budget(0)], (["a"], 1)),
    ],
)  # fmt: skip
def test_victims(running: list[PodInfo], budgets: list[Budget], found: Any) -> None:
    chosen = select_victims(WANTED, place(*running), budgets, refuses)
    if isinstance(chosen, Candidate):
        assert ([one.key.name for one in chosen.victims], chosen.violations) == found
    else:
        assert chosen == found


def test_a_port_is_freed() -> None:
    holder = there("holder", ports=[{"hostPort": 80}])
    wanted = info("new", ports=[{"hostPort": 80}], priority=1)
    found = select_victims(wanted, place(holder, there("other")), [], refuses)
    assert isinstance(found, Candidate)
    assert [one.key.name for one in found.victims] == ["holder"]


@pytest.mark.parametrize(
    ("budgets", "names"),
    [
        ([], []),
        ([budget(0)], ["a", "b"]),
        ([budget(1)], ["b"]),
        ([budget(2), budget(0, {"tier": "x"})], ["b"]),
        ([budget(0, namespace="other")], []),
        ([budget(0, labels={})], []),
        ([budget(0, disrupted=frozenset({"a"}))], ["b"]),
    ],
)
def test_what_budgets_protect(budgets: list[Budget], names: list[str]) -> None:
    pods = [there("a", labels=WEB), there("b", labels={**WEB, "tier": "x"}), there("bare")]
    assert [*violating(pods, budgets)] == [f"uid-{name}" for name in names]


@pytest.mark.parametrize(
    ("one", "other", "budgets"),
    [
        ([there("a", "4", 5)], [there("b", "4", 1, labels=WEB)], [budget(0)]),
        ([there("a", "4", 1)], [there("b", "4", 2)], []),
        ([there("a", "4", 2)], [there("b", "3", 2), there("c", "1", 2, started="")], []),
        ([there("a", "4", 2)], [there("b", "2", 2), there("c", "2", 1), there("d", "1", 10)], []),
        ([there("a", "4", 1, "2026-02-01T00:00:00Z")], [there("b", "4", 1, "2026-01-01T00:00:00Z")], []),
    ],
)
@pytest.mark.parametrize("swapped", [False, True])
def test_the_node_where_least_is_lost(
    one: list[PodInfo], other: list[PodInfo], budgets: list[Budget], swapped: bool
) -> None:
    wanted = info("new", requests={"cpu": "4"}, priority=20)
    places = [place(*one, name="better"), place(*other, name="worse")]
    found = find_room(wanted, places[::-1] if swapped else places, 2, budgets, refuses)
    assert (found.node, found.message) == ("better", "")


def test_why_nothing_helps() -> None:
    places = [place(there("a", "4", 10)), place(there("a", "3", 10), there("b"), name="m")]
    found = find_room(WANTED, places, 5, [], refuses)
    assert found.message == f"0/5 nodes are available: 1 Insufficient cpu, 1 {NOBODY}, 3 {USELESS}."
    assert (found.node, found.victims) == ("", ())


def test_the_search_ends_with_enough_candidates() -> None:
    asked: list[str] = []

    def counting(pod: PodInfo, at: NodeInfo) -> Refusal | None:
        asked.append(at.name)
        return refuses(pod, at)

    places = [place(there("a", "4"), name=f"n{number}") for number in range(300)]
    assert find_room(WANTED, places, 300, [], counting).node == "n0"
    assert len(dict.fromkeys(asked)) == 100


LEAVING = {"conditions": [{"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}]}


@pytest.mark.parametrize(
    ("spec", "priority", "deleted", "status", "reason"),
    [
        ({}, 1, True, LEAVING, TERMINATING),
        ({}, 1, False, LEAVING, ""),
        ({}, 1, True, {}, ""),
        ({}, 10, True, LEAVING, ""),
        ({"preemptionPolicy": "Never"}, 1, False, {}, NEVER),
        ({"preemptionPolicy": "PreemptLowerPriority"}, 1, False, {}, ""),
    ],
)
def test_who_may_not_preempt(spec: Any, priority: int, deleted: bool, status: Any, reason: str) -> None:
    other = info("other", priority=priority, status=status, on="n")
    if deleted:
        other.pod.raw["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert ineligible(info("new", priority=10, **spec), place(other)) == reason
    assert ineligible(info("new", priority=10, **spec), None) == (NEVER if reason == NEVER else "")
