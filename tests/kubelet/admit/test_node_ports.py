"""Ports of the node that pods hold."""

from typing import Any

import pytest

from kubelet.admit.viewing import make, view
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.admit.node_ports import NodePorts
from pilothouse.kubelet.admit_handler import Refusal

MESSAGE = "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports"


def holding(name: str, *ports: dict[str, Any], sidecar: bool = False, init: bool = False) -> Pod:
    container: dict[str, Any] = {"name": "p", "image": "p", "ports": [{"containerPort": 80, **port} for port in ports]}
    if sidecar:
        container["restartPolicy"] = "Always"
    spec: dict[str, Any] = {"initContainers": [container]} if sidecar or init else {"containers": [container]}
    return make(name, **spec)


HELD = holding("held", {"hostPort": 80}, {"hostPort": 53, "protocol": "UDP", "hostIP": "10.0.0.1"})


@pytest.mark.parametrize(
    ("pod", "taken"),
    [
        (holding("web", {}), True),
        (holding("web", {"hostPort": 81}), True),
        (holding("web", {"hostPort": 80}), False),
        (holding("web", {"hostPort": 80, "hostIP": "10.0.0.9"}), False),
        (holding("web", {"hostPort": 80, "protocol": "UDP"}), True),
        (holding("web", {"hostPort": 53, "protocol": "UDP", "hostIP": "10.0.0.2"}), True),
        (holding("web", {"hostPort": 53, "protocol": "UDP", "hostIP": "10.0.0.1"}), False),
        (holding("web", {"hostPort": 53, "protocol": "UDP"}), False),
        (holding("web", {"hostPort": 80}, sidecar=True), False),
        (holding("web", {"hostPort": 80}, init=True), True),
    ],
)
def test_what_wants_a_port_that_is_taken_is_refused(pod: Pod, taken: bool) -> None:
    assert NodePorts().refuse(pod, view(others=[HELD])) == (None if taken else Refusal("NodePorts", MESSAGE))
