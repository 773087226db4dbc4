"""Quality of service. Rules: pkg/apis/core/helper/qos/qos.go."""

import pytest

from pilothouse.api.core.pod.qos import qos_class
from pilothouse.api.machinery.view import JsonObject

FULL = {"cpu": "1", "memory": "1Gi"}


@pytest.mark.parametrize(
    ("containers", "expected"),
    [
        ([{}], "BestEffort"),
        ([{"requests": {"cpu": "0"}}], "BestEffort"),
        ([{"limits": {"ephemeral-storage": "1Gi"}}], "BestEffort"),
        ([{"limits": FULL, "requests": FULL}], "Guaranteed"),
        ([{"limits": FULL, "requests": {"cpu": "1000m", "memory": "1024Mi"}}], "Guaranteed"),
        ([{"limits": FULL, "requests": FULL}, {}], "Burstable"),
        ([{"limits": FULL, "requests": {"cpu": "500m", "memory": "1Gi"}}], "Burstable"),
        ([{"limits": {"cpu": "1"}, "requests": {"cpu": "1"}}], "Burstable"),
        ([{"requests": {"cpu": "1"}}], "Burstable"),
    ],
)
def test_by_containers(containers: list[JsonObject], expected: str) -> None:
    spec = {"containers": [{"resources": resources} for resources in containers]}
    assert qos_class({"spec": spec}) == expected


def test_init_containers_count_too() -> None:
    spec = {"containers": [{"resources": {"limits": FULL, "requests": FULL}}], "initContainers": [{}]}
    assert qos_class({"spec": spec}) == "Burstable"


def test_the_pods_own_amounts_decide_where_given() -> None:
    assert qos_class({"spec": {"containers": [{}], "resources": {"limits": FULL, "requests": FULL}}}) == "Guaranteed"
