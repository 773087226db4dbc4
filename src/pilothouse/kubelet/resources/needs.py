"""What a pod asks of its node, in whole numbers: thousandths of a CPU, bytes, pieces."""

from collections.abc import Mapping

from pilothouse.api.core.pod.needs import pod_amounts
from pilothouse.api.core.pod.resources import amounts
from pilothouse.api.machinery.quantity import Quantity
from pilothouse.api.types.core_v1 import Pod

CPU, PODS = "cpu", "pods"
Units = dict[str, int]
"""Amounts by resource."""


def pod_needs(pod: Pod) -> Units:
    """What a pod asks for, or has already where that is more; always one place for a pod."""
    return {**_units(pod_amounts(dict(pod.raw), "requests")), PODS: 1}


def parsed(listed: Mapping[str, str]) -> Units:
    """Amounts as the API writes them."""
    return _units(amounts({"all": listed}, "all"))


def _units(found: Mapping[str, Quantity]) -> Units:
    return {name: amount.milli() if name == CPU else amount.value() for name, amount in found.items()}


def is_extended(name: str) -> bool:
    """Whether somebody other than Kubernetes has named the resource."""
    return "/" in name and "kubernetes.io/" not in name and not name.startswith("requests.")
