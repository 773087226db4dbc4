"""What is kept for those who are no pods, and which settings of it are none: the words are upstream's."""

import re
from typing import Any

import pytest

from pilothouse.api.machinery.quantity import parse_quantity
from pilothouse.kubelet.reservations import Reservations, excess


def test_both_reservations_count() -> None:
    kept = Reservations(kube={"cpu": "100m", "memory": "1Gi"}, system={"cpu": "1", "pid": "1000"})
    found = {name: str(kept.of(name)) for name in ("cpu", "memory", "pid", "ephemeral-storage")}
    assert found == {"cpu": "1100m", "memory": "1Gi", "pid": "1k", "ephemeral-storage": "0"}
    assert Reservations().enforce == ("pods",)


@pytest.mark.parametrize(("settings", "message"), [
    ({"kube": {"hugepages-2Mi": "2Mi"}}, 'cannot reserve "hugepages-2Mi" resource'),
    ({"system": {"cpu": "-1"}}, 'resource quantity for "cpu" cannot be negative: -1'),
    ({"enforce": ("all",)}, ('option "all" specified for enforceNodeAllocatable (--enforce-node-allocatable). Valid '
     'options are "pods", "system-reserved", "system-reserved-compressible", "kube-reserved", '
     '"kube-reserved-compressible", "none"')),
    ({"enforce": ("none", "pods")}, ("enforceNodeAllocatable (--enforce-node-allocatable) may not contain additional "
     'enforcements when "none" is specified')),
    ({"enforce": ("system-reserved",)}, ("systemReservedCgroup (--system-reserved-cgroup) must be specified when "
     '"system-reserved" contained in enforceNodeAllocatable (--enforce-node-allocatable)')),
    ({"enforce": ("kube-reserved-compressible",), "system_cgroup": "/s"}, ("kubeReservedCgroup "
     '(--kube-reserved-cgroup) must be specified when "kube-reserved-compressible" contained in '
     "enforceNodeAllocatable (--enforce-node-allocatable)")),
])  # fmt: skip
def test_what_cannot_be_set(settings: dict[str, Any], message: str) -> None:
    """*Assumed*: the list of valid options."""
    with pytest.raises(ValueError, match=f"^(invalid configuration: )?{re.escape(message)}$"):
        Reservations(**settings)


@pytest.mark.parametrize("enforce", [("none",), ("pods", "system-reserved", "kube-reserved-compressible")])
def test_what_can_be_set(enforce: tuple[str, ...]) -> None:
    assert Reservations(enforce=enforce, kube_cgroup="/k", system_cgroup="/s").enforce == enforce


def test_nobody_keeps_more_than_there_is() -> None:
    capacity = {"cpu": "2", "memory": "4Gi"}
    assert excess(capacity, {"cpu": parse_quantity("2"), "memory": parse_quantity("1Gi")}) == ""
    assert excess(capacity, {"cpu": parse_quantity("2100m"), "memory": parse_quantity("1Gi")}) == (
        'invalid Node Allocatable configuration. Resource "cpu" has a reservation of 2100m but capacity of 2. '
        "Expected capacity >= reservation."
    )
