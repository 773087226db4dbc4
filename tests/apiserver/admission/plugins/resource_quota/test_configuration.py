"""The configuration of ResourceQuota."""

from typing import Any

import pytest

from pilothouse.api.core.resource_quota.admit import Limited
from pilothouse.apiserver.admission.plugins.resource_quota.configuration import read_configuration

HIGH = {"scopeName": "PriorityClass", "operator": "In", "values": ["high"]}


def configuration(*limited: Any, kind: str = "ResourceQuotaConfiguration") -> dict[str, Any]:
    return {"apiVersion": "apiserver.config.k8s.io/v1", "kind": kind, "limitedResources": list(limited)}


def test_what_is_limited() -> None:
    assert read_configuration(None) == ()
    found = read_configuration(
        configuration(
            {"resource": "pods", "matchScopes": [HIGH]},
            {"apiGroup": "apps", "resource": "deployments", "matchContains": ["count/"]},
        )
    )
    assert found == (Limited("", "pods", (), (HIGH,)), Limited("apps", "deployments", ("count/",)))


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (configuration(kind="Other"), "it is apiserver.config.k8s.io/v1 Other, not"),
        (configuration("pods"), "must be a list of resources"),
        (configuration({"apiGroup": "apps"}), r"limitedResources\[0\].resource: Required value"),
    ],
)
def test_what_is_no_configuration(found: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_configuration(found)
