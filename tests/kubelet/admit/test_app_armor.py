"""Pods that want AppArmor."""

from typing import Any

import pytest

from kubelet.admit.viewing import make, view
from pilothouse.kubelet.admit.app_armor import AppArmor
from pilothouse.kubelet.admit_handler import Refusal

REFUSAL = Refusal("AppArmor", "Cannot enforce AppArmor: AppArmor is not enabled on the host")
WANTED = {"appArmorProfile": {"type": "RuntimeDefault"}}
CONTAINER = {"name": "app", "image": "app:1"}


@pytest.mark.parametrize(
    ("spec", "enabled", "phase", "taken"),
    [
        ({}, False, "Pending", True),
        ({"securityContext": {"appArmorProfile": {"type": "Unconfined"}}}, False, "Pending", True),
        ({"securityContext": WANTED}, False, "Pending", False),
        ({"securityContext": WANTED}, True, "Pending", True),
        ({"securityContext": WANTED}, False, "Running", True),
        ({"containers": [{**CONTAINER, "securityContext": WANTED}]}, False, "Pending", False),
        ({"initContainers": [{**CONTAINER, "name": "i", "securityContext": WANTED}]}, False, "Pending", False),
    ],
)
def test_a_profile_needs_a_kernel_that_enforces_it(
    spec: dict[str, Any], enabled: bool, phase: str, taken: bool
) -> None:
    pod = make(status={"phase": phase}, **spec)
    assert AppArmor().refuse(pod, view(app_armor=enabled)) == (None if taken else REFUSAL)
