"""Containers' statuses tell how their devices are."""

from typing import Any

import pytest

from kubelet.dra.claiming import user, uses
from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.dra.claim_info import ClaimInfo, Device
from pilothouse.kubelet.dra.health import HEALTHY, UNHEALTHY, Health
from pilothouse.kubelet.dra.health_status import with_health

BIG, SMALL = Device("n1", "0", ("big",), ("example.com/gpu=0",)), Device("n1", "1", ("small",))
TWIN = Device("n1", "2", ("small",), ("example.com/gpu=0",))
CLAIM = ClaimInfo("default", "a", "uid-a", {"gpu.example.com": (BIG, SMALL, TWIN)}, {"uid-web": None})
WELL = {"resourceID": "example.com/gpu=0", "health": "Healthy"}
HOT = {"resourceID": "gpu.example.com/n1/1", "health": "Unhealthy", "message": "too hot"}


def health(_driver: str, device: Device) -> Health:
    return Health(UNHEALTHY, "too hot") if device is SMALL else Health(HEALTHY)


@pytest.mark.parametrize(
    ("used", "expected"),
    [
        (("a",), [{"name": "claim:a", "resources": [WELL, HOT]}]),
        (("a/big",), [{"name": "claim:a/big", "resources": [WELL]}]),
        (("a/none", "a/small"), [{"name": "claim:a/small", "resources": [HOT, WELL]}]),
        (("b",), []),
        ((), []),
    ],
)
def test_what_a_container_has(used: tuple[str, ...], expected: list[JsonObject]) -> None:
    web = user("web", "a", "b", containers=[uses(*used), uses(name="other")])
    foo = {"name": "example.com/foo", "resources": []}
    told: Any = {"name": "app", "allocatedResourcesStatus": [foo]}
    status = {"phase": "Running", "containerStatuses": [told, {"name": "other"}]}
    found = with_health(web, status, {"a": CLAIM}.get, health)
    app = {**told, "allocatedResourcesStatus": [foo, *expected]}
    assert found == {"phase": "Running", "containerStatuses": [app, {"name": "other"}]}


def test_extended_resources_are_told_of_by_their_claim() -> None:  # Assumed, by the field's description.
    mappings = [{"containerName": "app", "resourceName": "example.com/gpu", "requestName": "big"}]
    extended = {"resourceClaimName": "a", "requestMappings": mappings}
    web = user("web", containers=[{"name": "app", "image": "app:1"}], extendedResourceClaimStatus=extended)
    found = with_health(web, {"containerStatuses": [{"name": "app"}]}, {"a": CLAIM}.get, health)
    told = [{"name": "claim:a/big", "resources": [WELL]}]
    assert found["containerStatuses"] == [{"name": "app", "allocatedResourcesStatus": told}]


def test_before_there_is_a_claim_nothing_is_told() -> None:
    web = user("web", containers=[uses("gpu")])
    assert with_health(web, {"phase": "Pending"}, {"a": CLAIM}.get, health) == {"phase": "Pending"}
