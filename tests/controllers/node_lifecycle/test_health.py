import pytest

from pilothouse.api.types.coordination_v1 import Lease
from pilothouse.api.types.core_v1 import Node
from pilothouse.controllers.node_lifecycle.health import Health, is_silent, listen, unknown_conditions
from pilothouse.controllers.node_lifecycle.settings import NodeLifecycleSettings
from pilothouse.runtime.clock import format_micro_time, format_time

NOW = 1_767_225_600.0
SETTINGS = NodeLifecycleSettings()


def _node(status: str = "True", heartbeat: float = NOW, *, created: float = NOW) -> Node:
    ready = {"type": "Ready", "status": status, "lastHeartbeatTime": format_time(heartbeat)}
    conditions = [ready] if status else []
    meta = {"name": "n", "creationTimestamp": format_time(created)}
    return Node({"metadata": meta, "status": {"conditions": conditions}})


def _lease(renewed: float) -> Lease:
    return Lease({"spec": {"renewTime": format_micro_time(renewed)}})


KNOWN = Health(heard=100.0, reported=True, heartbeat=NOW, renewed=NOW)


@pytest.mark.parametrize(
    ("known", "node", "lease", "heard"),
    [
        pytest.param(None, _node(), None, 500.0, id="first sight"),
        pytest.param(None, _node("", created=NOW - 30), None, 470.0, id="never reported: since it was made"),
        pytest.param(KNOWN, _node(), _lease(NOW), 100.0, id="silent"),
        pytest.param(KNOWN, _node(heartbeat=NOW + 1), _lease(NOW), 500.0, id="reported"),
        pytest.param(KNOWN, _node(heartbeat=NOW - 99), _lease(NOW), 500.0, id="its clock went back"),
        pytest.param(KNOWN, _node(), _lease(NOW + 1), 500.0, id="renewed"),
        pytest.param(KNOWN, _node(), _lease(NOW - 1), 100.0, id="an older lease"),
        pytest.param(KNOWN, _node(), None, 100.0, id="no lease"),
        pytest.param(KNOWN, _node(""), None, 500.0, id="its condition is gone"),
        pytest.param(Health(100.0), _node(), None, 500.0, id="its first report"),
        pytest.param(Health(100.0), _node(""), None, 100.0, id="still no report"),
        pytest.param(Health(100.0), _node(""), _lease(NOW), 500.0, id="a lease is enough"),
    ],
)
def test_when_a_node_was_heard(known: Health | None, node: Node, lease: Lease | None, heard: float) -> None:
    assert listen(known, node, lease, NOW, 500.0).heard == heard


@pytest.mark.parametrize(
    ("node", "elapsed", "silent"),
    [(_node(), 50.0, False), (_node(), 50.1, True), (_node(""), 60.0, False), (_node(""), 60.1, True)],
)
def test_who_is_silent(node: Node, elapsed: float, silent: bool) -> None:
    assert is_silent(Health(0.0), node, SETTINGS, elapsed) is silent


def test_a_silent_node_is_unknown() -> None:
    node = Node(
        {
            "metadata": {"name": "n", "creationTimestamp": format_time(NOW - 500)},
            "status": {
                "conditions": [
                    {"type": "NetworkUnavailable", "status": "False"},
                    {"type": "MemoryPressure", "status": "Unknown", "reason": "Old"},
                    {"type": "Ready", "status": "True", "reason": "KubeletReady", "lastHeartbeatTime": "h"},
                ]
            },
        }
    )
    network, memory, ready, disk, pid = unknown_conditions(node, NOW) or []
    assert network == {"type": "NetworkUnavailable", "status": "False"}
    assert memory["reason"] == "Old"
    assert ready == {
        "type": "Ready",
        "status": "Unknown",
        "reason": "NodeStatusUnknown",
        "message": "Kubelet stopped posting node status.",
        "lastHeartbeatTime": "h",
        "lastTransitionTime": format_time(NOW),
    }
    assert (disk["type"], pid["type"]) == ("DiskPressure", "PIDPressure")
    assert disk == {
        "type": "DiskPressure",
        "status": "Unknown",
        "reason": "NodeStatusNeverUpdated",
        "message": "Kubelet never posted node status.",
        "lastHeartbeatTime": format_time(NOW - 500),
        "lastTransitionTime": format_time(NOW),
    }


def test_what_is_unknown_is_not_said_again() -> None:
    assert unknown_conditions(_node("Unknown"), NOW) is None
