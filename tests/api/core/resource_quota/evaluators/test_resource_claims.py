"""What claims of devices use. Source: pkg/quota/v1/evaluator/core/resource_claims_test.go."""

from typing import Any

import pytest

from pilothouse.api.core.resource_quota.evaluators.resource_claims import ResourceClaims

CLAIMS = ResourceClaims()


def wants(name: str, mode: str = "ExactCount", count: int = 1) -> dict[str, Any]:
    return {"deviceClassName": name, "allocationMode": mode, "count": count}


@pytest.mark.parametrize(
    ("requests", "used"),
    [
        ([], {}),
        ([{"exactly": wants("gpu")}], {"gpu": "1"}),
        ([{"exactly": wants("gpu")}, {"exactly": wants("gpu", count=4)}], {"gpu": "5"}),
        ([{"exactly": wants("gpu", "All")}], {"gpu": "32"}),
        ([{"exactly": wants("gpu", "Unheard")}], {"gpu": "0"}),
        ([{"firstAvailable": [wants("gpu", count=2), wants("gpu"), wants("nic")]}, {"exactly": wants("nic")}],
         {"gpu": "2", "nic": "2"}),
        ([{}], {}),
    ],
)  # fmt: skip
def test_usage(requests: list[Any], used: dict[str, str]) -> None:
    found = CLAIMS.usage({"spec": {"devices": {"requests": requests}}}, 0)
    of_class = {f"{name}.deviceclass.resource.k8s.io/devices": count for name, count in used.items()}
    assert {name: str(amount) for name, amount in found.items()} == {
        "count/resourceclaims.resource.k8s.io": "1", **of_class,
    }  # fmt: skip


def test_what_they_use() -> None:
    assert CLAIMS.counts("gpu.deviceclass.resource.k8s.io/devices")
    assert not CLAIMS.counts("count/resourceclaims")
