import pytest

from pilothouse.scheduler.changes import Change, Happened
from pilothouse.scheduler.framework import Refusal
from pilothouse.scheduler.plugins.node_unschedulable import NodeUnschedulable
from scheduler.samples import alone, info, node, pod

TOLERANT = [{"key": "node.kubernetes.io/unschedulable", "operator": "Exists"}]
PLUGIN = NodeUnschedulable()


def test_cordoned_nodes_refuse() -> None:
    cordoned = alone(node(unschedulable=True))
    assert PLUGIN.refuse(info(), cordoned) == Refusal(("node(s) were unschedulable",), resolvable=False)
    assert PLUGIN.refuse(info(tolerations=TOLERANT), cordoned) is None
    assert PLUGIN.refuse(info(), alone(node())) is None


@pytest.mark.parametrize(
    ("change", "old", "new", "helps"),
    [
        (Change.NODE_ADDED, None, node(), True),
        (Change.NODE_ADDED, None, node(unschedulable=True), False),
        (Change.NODE_TAINTS, node(unschedulable=True), node(), True),
        (Change.NODE_TAINTS, node(), node(taints=[{"key": "a", "effect": "NoSchedule"}]), False),
        (Change.OWN_TOLERATIONS, pod(), pod(tolerations=TOLERANT), True),
        (Change.OWN_TOLERATIONS, pod(), pod(labels={"a": "b"}), False),
    ],
)
def test_what_helps(change: Change, old: object, new: object, helps: bool) -> None:
    assert PLUGIN.helps(info(), Happened(change, old, new)) is helps
