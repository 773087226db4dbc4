"""For which system a pod is."""

from typing import Any

import pytest

from kubelet.admit.viewing import make, view
from pilothouse.kubelet.admit.pod_os import PodOs
from pilothouse.kubelet.admit_handler import Refusal

LABEL = Refusal(
    "PodOSSelectorNodeLabelDoesNotMatch",
    "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label",
)
FIELD = Refusal("PodOSNotSupported", "Failed to admit pod as the OS field doesn't match node OS")


@pytest.mark.parametrize(
    ("spec", "refusal"),
    [
        ({}, None),
        ({"os": {"name": "linux"}, "metadata": {"labels": {"kubernetes.io/os": "linux"}}}, None),
        ({"metadata": {"labels": {"kubernetes.io/os": "windows"}}}, LABEL),
        ({"os": {"name": "windows"}}, FIELD),
        ({"os": {"name": "windows"}, "metadata": {"labels": {"kubernetes.io/os": "windows"}}}, LABEL),
    ],
)
def test_only_pods_for_linux_are_taken(spec: dict[str, Any], refusal: Refusal | None) -> None:
    assert PodOs().refuse(make(**spec), view()) == refusal
