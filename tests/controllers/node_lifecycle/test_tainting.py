from typing import Any

import pytest

from pilothouse.api.types.core_v1 import Node
from pilothouse.controllers.node_lifecycle.tainting import (
    changed_taints,
    evicting_changes,
    label_changes,
    schedule_changes,
)

NOW = 1_767_225_600.0
NOT_READY, UNREACHABLE = "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"


def _node(*taints: tuple[str, str], unschedulable: bool = False, **conditions: str) -> Node:
    return Node(
        {
            "metadata": {"name": "n"},
            "spec": {"taints": [{"key": k, "effect": e} for k, e in taints], "unschedulable": unschedulable},
            "status": {"conditions": [{"type": kind, "status": status} for kind, status in conditions.items()]},
        }
    )


@pytest.mark.parametrize(
    ("node", "add", "remove"),
    [
        (_node(Ready="True"), [], []),
        (_node(Ready="False"), [NOT_READY], []),
        (_node(Ready="Unknown"), [UNREACHABLE], []),
        (_node((NOT_READY, "NoSchedule"), Ready="True"), [], [NOT_READY]),
        (_node((NOT_READY, "NoSchedule"), Ready="Unknown"), [UNREACHABLE], [NOT_READY]),
        (_node((NOT_READY, "NoExecute"), Ready="True"), [], []),
        (_node(("mine", "NoSchedule"), Ready="True"), [], []),
        (
            _node(MemoryPressure="True", DiskPressure="True", PIDPressure="True", NetworkUnavailable="True"),
            [
                f"node.kubernetes.io/{name}"
                for name in ("memory-pressure", "disk-pressure", "pid-pressure", "network-unavailable")
            ],
            [],
        ),
        (_node(MemoryPressure="Unknown", DiskPressure="False"), [], []),
        (_node(unschedulable=True), ["node.kubernetes.io/unschedulable"], []),
        (_node(("node.kubernetes.io/unschedulable", "NoSchedule")), [], ["node.kubernetes.io/unschedulable"]),
    ],
)
def test_what_keeps_pods_away(node: Node, add: list[str], remove: list[str]) -> None:
    added, removed = schedule_changes(node)
    assert ([key for key, _ in added], [key for key, _ in removed]) == (add, remove)
    assert {effect for _, effect in (*added, *removed)} <= {"NoSchedule"}


@pytest.mark.parametrize(
    ("node", "status", "add", "remove"),
    [
        (_node(), "True", [], []),
        (_node(), "False", [NOT_READY], []),
        (_node(), "Unknown", [UNREACHABLE], []),
        (_node((UNREACHABLE, "NoExecute")), "True", [], [UNREACHABLE]),
        (_node((UNREACHABLE, "NoExecute")), "False", [NOT_READY], [UNREACHABLE]),
        (_node((NOT_READY, "NoExecute")), "False", [], []),
        (_node((NOT_READY, "NoSchedule")), "True", [], []),
    ],
)
def test_what_evicts(node: Node, status: str, add: list[str], remove: list[str]) -> None:
    added, removed = evicting_changes(node, status)
    assert (added, removed) == ([(key, "NoExecute") for key in add], [(key, "NoExecute") for key in remove])


def test_others_taints_stay() -> None:
    node = _node(("mine", "NoExecute"), (NOT_READY, "NoSchedule"), (NOT_READY, "NoExecute"))
    changed = changed_taints(node, [(UNREACHABLE, "NoExecute")], [(NOT_READY, "NoExecute")], NOW)
    assert changed == [
        {"key": "mine", "effect": "NoExecute"},
        {"key": NOT_READY, "effect": "NoSchedule"},
        {"key": UNREACHABLE, "effect": "NoExecute", "timeAdded": "2026-01-01T00:00:00Z"},
    ]


def test_nothing_to_change() -> None:
    assert changed_taints(_node(("a", "NoExecute")), [("a", "NoExecute")], [("b", "NoExecute")], NOW) is None


@pytest.mark.parametrize(
    ("labels", "changes"),
    [
        ({}, {}),
        ({"kubernetes.io/os": "linux"}, {"beta.kubernetes.io/os": "linux"}),
        ({"kubernetes.io/arch": "a", "beta.kubernetes.io/arch": "b"}, {"beta.kubernetes.io/arch": "a"}),
        ({"beta.kubernetes.io/os": "linux"}, {}),
        ({"kubernetes.io/os": "linux", "beta.kubernetes.io/os": "linux"}, {}),
    ],
)
def test_older_labels_say_the_same(labels: dict[str, Any], changes: dict[str, str]) -> None:
    assert label_changes(Node({"metadata": {"labels": labels}})) == changes
