"""Taints and tolerations: what keeps pods off a node, and which pods do not mind.

Source: staging/src/k8s.io/component-helpers/scheduling/corev1/helpers.go; API page: Taints and Tolerations.
"""

import re

from pilothouse.api.types.core_v1 import Taint, Toleration

NO_SCHEDULE, NO_EXECUTE = "NoSchedule", "NoExecute"
NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
MEMORY_PRESSURE = "node.kubernetes.io/memory-pressure"
DISK_PRESSURE = "node.kubernetes.io/disk-pressure"
PID_PRESSURE = "node.kubernetes.io/pid-pressure"
NETWORK_UNAVAILABLE = "node.kubernetes.io/network-unavailable"
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}")


def tolerates(toleration: Toleration, taint: Taint) -> bool:
    """Whether the toleration speaks of the taint. An empty effect or key speaks of all."""
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.key and toleration.key != taint.key:
        return False
    match toleration.operator:
        case "" | "Equal":
            return toleration.value == taint.value
        case "Exists":
            return True
        case "Gt" | "Lt":
            return _compares(toleration, taint)
    return False


def _compares(toleration: Toleration, taint: Taint) -> bool:
    """Whether the taint's number is greater, or less, than the toleration's. KEP-5471."""
    if not _INTEGER.fullmatch(toleration.value) or not _INTEGER.fullmatch(taint.value):
        return False
    mine, its = int(toleration.value), int(taint.value)
    return its > mine if toleration.operator == "Gt" else its < mine
