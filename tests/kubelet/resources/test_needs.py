"""What pods ask for, in whole numbers."""

import pytest

from kubelet.harness import pod
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.resources.needs import is_extended, parsed, pod_needs


def test_a_pod_needs_a_place_whatever_it_asks_for() -> None:
    asked = {"requests": {"cpu": "1500m", "memory": "1Gi", "example.com/gpu": "2"}}
    needs = pod_needs(Pod(pod(containers=[{"name": "a", "image": "a", "resources": asked}], overhead={"cpu": "1"})))
    assert needs == {"cpu": 2500, "memory": 1 << 30, "example.com/gpu": 2, "pods": 1}
    assert pod_needs(Pod(pod())) == {"pods": 1}


def test_amounts_are_read_as_the_api_writes_them() -> None:
    assert parsed({"cpu": "2", "memory": "1Ki", "pods": "110"}) == {"cpu": 2000, "memory": 1024, "pods": 110}


@pytest.mark.parametrize(
    ("name", "extended"),
    [
        ("cpu", False), ("hugepages-2Mi", False), ("example.com/gpu", True), ("kubernetes.io/batch", False),
        ("requests.example.com/gpu", False), ("attachable-volumes-csi-x", False),
    ],
)  # fmt: skip
def test_whose_a_resource_is(name: str, extended: bool) -> None:
    assert is_extended(name) is extended
