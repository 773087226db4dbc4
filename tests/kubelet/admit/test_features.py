"""Pods that need what not every node can do."""

from typing import Any

import pytest

from kubelet.admit.viewing import make, view
from pilothouse.kubelet.admit.features import Features
from pilothouse.kubelet.admit_handler import Refusal

RULES = [{"action": "RestartAllContainers", "exitCodes": {"operator": "In", "values": [7]}}]
RESTARTING = {"containers": [{"name": "app", "image": "app:1", "restartPolicy": "Never", "restartPolicyRules": RULES}]}
MAPPED = {"hostNetwork": True, "hostUsers": False}
BOTH = ("RestartAllContainersOnContainerExits", "UserNamespacesHostNetworkSupport")


@pytest.mark.parametrize(
    ("spec", "declared", "missing"),
    [
        ({}, (), ()),
        ({"hostUsers": False}, (), ()),
        (RESTARTING, (), BOTH[:1]),
        (RESTARTING, BOTH[:1], ()),
        (MAPPED, BOTH[:1], BOTH[1:]),
        ({**RESTARTING, **MAPPED}, (), BOTH),
    ],
)
def test_what_the_node_does_not_declare_is_refused(
    spec: dict[str, Any], declared: tuple[str, ...], missing: tuple[str, ...]
) -> None:
    text = f"Pod requires node features that are not available: {', '.join(missing)}"
    expected = Refusal("PodFeatureUnsupported", text) if missing else None
    assert Features().refuse(make(**spec), view(declared=frozenset(declared))) == expected
