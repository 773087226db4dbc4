"""What claims of volumes use. Source: pkg/quota/v1/evaluator/core/persistent_volume_claims_test.go."""

from typing import Any

import pytest

from pilothouse.api.core.resource_quota.evaluator import Change
from pilothouse.api.core.resource_quota.evaluators.volume_claims import VolumeClaims

CLAIMS = VolumeClaims()
OF_GOLD = "gold.storageclass.storage.k8s.io/"


def claim(storage: str = "10Gi", given: str = "", status: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    found = {**(status or {}), **({"allocatedResources": {"storage": given}} if given else {})}
    return {"metadata": {}, "spec": {"resources": {"requests": {"storage": storage}}, **spec}, "status": found}


def uses(storage: str) -> dict[str, str]:
    return {"count/persistentvolumeclaims": "1", "persistentvolumeclaims": "1", "requests.storage": storage}


def of_gold(storage: str) -> dict[str, str]:
    return {**uses(storage), f"{OF_GOLD}persistentvolumeclaims": "1", f"{OF_GOLD}requests.storage": storage}


@pytest.mark.parametrize(
    ("found", "used"),
    [
        pytest.param(claim(), uses("10Gi"), id="of no class"),
        pytest.param(claim(storageClassName="gold"), of_gold("10Gi"), id="of a class"),
        pytest.param({**claim(), "metadata": {"annotations": {"volume.beta.kubernetes.io/storage-class": "gold"}}},
                     of_gold("10Gi"), id="of a class in the old way"),
        pytest.param(claim("10000m"), uses("10"), id="whole bytes"),
        pytest.param(claim("1100m"), uses("2"), id="rounded up"),
        pytest.param(claim(given="20Gi"), uses("20Gi"), id="more was given"),
        pytest.param(claim(given="5Gi"), uses("10Gi"), id="less was given"),
    ],
)  # fmt: skip
def test_usage(found: dict[str, Any], used: dict[str, str]) -> None:
    assert {name: str(amount) for name, amount in CLAIMS.usage(found, 0).items()} == used


@pytest.mark.parametrize(
    ("name", "counted"),
    [
        ("requests.storage", True), (f"{OF_GOLD}requests.storage", True), (f"{OF_GOLD}persistentvolumeclaims", True),
        (f"{OF_GOLD}pods", False), ("storage", False),
    ],
)  # fmt: skip
def test_what_claims_use(name: str, counted: bool) -> None:
    assert CLAIMS.counts(name) is counted


@pytest.mark.parametrize(
    ("old", "new", "part", "handled"),
    [
        (claim(), claim("20Gi"), "", True),
        (claim(), claim(given="20Gi"), "status", True),
        (claim(), claim(status={"phase": "Bound"}), "status", False),
        (claim(), claim(status={"currentVolumeAttributesClassName": "fast"}), "status", True),
        (claim(), claim(), "other", False),
    ],
)
def test_which_updates_are_charged(old: Any, new: Any, part: str, handled: bool) -> None:
    assert CLAIMS.handles(Change("UPDATE", new, old, part)) is handled


def wants(operator: str, *values: str) -> dict[str, Any]:
    return {"scopeName": "VolumeAttributesClass", "operator": operator, "values": list(values)}


FAST = claim(volumeAttributesClassName="fast", status={"modifyVolumeStatus": {"targetVolumeAttributesClassName": "x"}})


@pytest.mark.parametrize(
    ("selector", "found", "inside"),
    [
        (wants("Exists"), FAST, True),
        (wants("Exists"), claim(), False),
        (wants("In", "fast"), FAST, True),
        (wants("In", "x"), FAST, True),
        (wants("In", "slow"), FAST, False),
        (wants("NotIn", "slow"), claim(), True),
        (wants("DoesNotExist"), claim(), True),
        ({"scopeName": "BestEffort", "operator": "Exists"}, claim(), False),
    ],
)
def test_scopes(selector: dict[str, Any], found: dict[str, Any], inside: bool) -> None:
    assert CLAIMS.in_scope(selector, found) is inside
