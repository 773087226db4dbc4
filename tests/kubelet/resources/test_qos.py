"""Classes of pods and OOM scores, as upstream's qos package has them."""

from typing import Any

import pytest

from kubelet.observing import containers, pod, sidecar
from kubelet.resources.test_linux import GI, capped, needs
from pilothouse.kubelet.containers import find
from pilothouse.kubelet.resources.qos import oom_score_adjust, qos_class


@pytest.mark.parametrize(("spec", "expected"), [
    ({}, "BestEffort"),
    ({"containers": containers("a", resources=needs("0", "0"))}, "BestEffort"),
    ({"containers": containers("a", resources={"requests": {"ephemeral-storage": "1Gi"}})}, "BestEffort"),
    ({"containers": containers("a", resources=capped("1", "1Gi"))}, "Guaranteed"),
    ({"containers": containers("a", resources=needs(cpu_limit="1", memory_limit="1Gi"))}, "Guaranteed"),
    ({"containers": containers("a", resources=needs("1000m", "1024Mi", "1", "1Gi"))}, "Guaranteed"),
    ({"containers": containers("a", resources=needs("1", "1Gi"))}, "Burstable"),
    ({"containers": containers("a", resources=needs("1", "1Gi", "1"))}, "Burstable"),
    ({"containers": containers("a", resources=needs("1", "1Gi", "2", "1Gi"))}, "Burstable"),
    ({"containers": [*containers("a", resources=capped("1", "1Gi")), *containers("b")]}, "Burstable"),
    ({"containers": containers("a", resources=capped("1", "1Gi")), "initContainers": containers("i")}, "Burstable"),
    ({"containers": containers("a"), "resources": capped("1", "1Gi")}, "Guaranteed"),
    ({"containers": containers("a", resources=needs("1")), "resources": capped("1", "1Gi")}, "Guaranteed"),
    ({"containers": containers("a", resources=capped("1", "1Gi")), "resources": needs("1")}, "Burstable"),
])  # fmt: skip
def test_classes(spec: dict[str, Any], expected: str) -> None:
    assert qos_class(pod(**spec)) == expected


NODE_CRITICAL = {"priority": 2_000_001_000, "priorityClassName": "system-node-critical"}
CLUSTER_CRITICAL = {"priority": 2_000_000_000, "priorityClassName": "system-cluster-critical"}
HALF = containers("a", resources=needs(memory="4Gi"))


@pytest.mark.parametrize(("spec", "name", "expected"), [
    ({"containers": containers("a")}, "a", 1000),
    ({"containers": containers("a", resources=capped("1", "1Gi"))}, "a", -997),
    ({"containers": HALF}, "a", 500),
    ({"containers": containers("a", resources=needs("1"))}, "a", 999),
    ({"containers": containers("a", resources=needs(memory="8Gi"))}, "a", 3),
    ({"containers": containers("a", resources=needs(memory="100Gi"))}, "a", 3),
    ({"containers": containers("a"), **NODE_CRITICAL}, "a", -997),
    ({"containers": containers("a"), **CLUSTER_CRITICAL}, "a", 1000),
    ({"containers": HALF, "initContainers": containers("i")}, "i", 999),
    ({"containers": HALF, "initContainers": [sidecar()]}, "side", 500),
    ({"containers": HALF, "initContainers": [sidecar(resources=needs(memory="6Gi"))]}, "side", 250),
    # Assumed: what a pod asked for as a whole is shared out among its containers.
    ({"containers": containers("a", "b"), "resources": needs(memory="8Gi")}, "a", 500),
])  # fmt: skip
def test_who_asked_for_more_is_killed_later(spec: dict[str, Any], name: str, expected: int) -> None:
    one = pod(**spec)
    container = find(one, name)
    assert container is not None
    assert oom_score_adjust(one, container, 8 * GI) == expected
