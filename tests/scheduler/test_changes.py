from typing import Any

import pytest

from pilothouse.api.types.core_v1 import Node, Pod
from pilothouse.scheduler.changes import Change, assigned_changes, node_changes, waiting_changes
from scheduler.samples import node, pod


def _ready(status: str) -> Node:
    return Node({**node().raw, "status": {**node().raw["status"], "conditions": [{"type": "Ready", "status": status}]}})


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        (None, node(), [Change.NODE_ADDED]),
        (node(), node(), []),
        (node(), node(cpu="8"), [Change.NODE_ALLOCATABLE]),
        (node(), node(labels={"a": "b"}), [Change.NODE_LABELS]),
        (node(), node(unschedulable=True), [Change.NODE_TAINTS]),
        (node(unschedulable=False), node(), []),
        (node(), node(taints=[{"key": "a", "effect": "NoSchedule"}]), [Change.NODE_TAINTS]),
        (_ready("False"), _ready("True"), [Change.NODE_CONDITIONS]),
        (node(), node(images={"a": 1}), []),
        (node(), node(cpu="8", labels={"a": "b"}), [Change.NODE_ALLOCATABLE, Change.NODE_LABELS]),
    ],
)
def test_what_changed_in_a_node(old: Node | None, new: Node, changes: list[Change]) -> None:
    assert node_changes(old, new) == changes


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        (None, pod(on="n"), [Change.POD_ASSIGNED]),
        (pod(), pod(on="n"), [Change.POD_ASSIGNED]),
        (pod(on="n"), None, [Change.POD_DELETED]),
        (pod(on="n"), pod(on="n"), []),
        (pod(on="n"), pod(on="n", status={"phase": "Running"}), []),
        (pod(on="n"), pod(on="n", labels={"a": "b"}), [Change.POD_LABELS]),
        (pod(on="n", requests={"cpu": "2"}), pod(on="n", requests={"cpu": "1"}), [Change.POD_SCALED_DOWN]),
        (pod(on="n", requests={"cpu": "1"}), pod(on="n", requests={"cpu": "2"}), []),
    ],
)
def test_what_changed_in_a_pod_on_a_node(old: Pod | None, new: Pod | None, changes: list[Change]) -> None:
    assert assigned_changes(old, new) == changes


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ({}, {}, []),
        ({}, {"status": {"phase": "Pending"}}, []),
        ({}, {"labels": {"a": "b"}}, [Change.OWN_LABELS]),
        ({"requests": {"cpu": "2"}}, {}, [Change.OWN_SCALED_DOWN]),
        ({}, {"tolerations": [{"operator": "Exists"}]}, [Change.OWN_TOLERATIONS]),
        ({"schedulingGates": [{"name": "a"}]}, {}, [Change.OWN_GATES]),
        ({"schedulingGates": [{"name": "a"}, {"name": "b"}]}, {"schedulingGates": [{"name": "a"}]}, []),
    ],
)
def test_what_changed_in_a_waiting_pod(old: dict[str, Any], new: dict[str, Any], changes: list[Change]) -> None:
    assert waiting_changes(pod(**old), pod(**new)) == changes
