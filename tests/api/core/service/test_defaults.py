"""Defaults of a Service. Source: TestSetDefaultService* in pkg/apis/core/v1/defaults_test.go."""

from typing import Any

import pytest

from pilothouse.api.core.service.defaults import default


def _default(**spec: Any) -> dict[str, Any]:
    obj: dict[str, Any] = {"spec": spec}
    default(obj)
    once = {**obj["spec"]}
    default(obj)
    assert obj["spec"] == once
    return once


def test_plain() -> None:
    assert _default(ports=[{"port": 80}, {"port": 53, "protocol": "UDP", "targetPort": "dns"}]) == {
        "sessionAffinity": "None",
        "type": "ClusterIP",
        "internalTrafficPolicy": "Cluster",
        "ports": [
            {"port": 80, "protocol": "TCP", "targetPort": 80},
            {"port": 53, "protocol": "UDP", "targetPort": "dns"},
        ],
    }


@pytest.mark.parametrize(
    ("spec", "field", "value"),
    [
        ({"type": "NodePort"}, "externalTrafficPolicy", "Cluster"),
        ({"type": "LoadBalancer"}, "externalTrafficPolicy", "Cluster"),
        ({"externalIPs": ["1.2.3.4"]}, "externalTrafficPolicy", "Cluster"),
        ({}, "externalTrafficPolicy", None),
        ({"type": "LoadBalancer"}, "allocateLoadBalancerNodePorts", True),
        ({"type": "LoadBalancer", "allocateLoadBalancerNodePorts": False}, "allocateLoadBalancerNodePorts", False),
        ({"type": "NodePort"}, "allocateLoadBalancerNodePorts", None),
        ({"type": "ExternalName"}, "internalTrafficPolicy", None),
        ({"sessionAffinity": "ClientIP"}, "sessionAffinityConfig", {"clientIP": {"timeoutSeconds": 10800}}),
        ({"sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 5}}}, "sessionAffinityConfig", None),
    ],
)
def test_fields(spec: dict[str, Any], field: str, value: Any) -> None:
    assert _default(**spec).get(field) == value


def test_ingress_addresses_are_virtual() -> None:
    obj: dict[str, Any] = {
        "spec": {"type": "LoadBalancer"},
        "status": {
            "loadBalancer": {"ingress": [{"ip": "1.2.3.4"}, {"hostname": "x"}, {"ip": "1.2.3.5", "ipMode": "Proxy"}]}
        },
    }
    default(obj)
    assert [i.get("ipMode") for i in obj["status"]["loadBalancer"]["ingress"]] == ["VIP", None, "Proxy"]
