"""Rules of a Service. Source: TestValidateServiceCreate, TestValidateServiceUpdate and
TestValidateLoadBalancerStatus in pkg/apis/core/validation/validation_test.go.

*assumed*: how a duplicate port is shown (upstream prints its internal structure), and the order of the values that
trafficDistribution may have.
"""

from typing import Any

import pytest

from pilothouse.api.core.service import RESOURCE
from pilothouse.api.machinery.field import FieldErrors


def _service(**spec: Any) -> dict[str, Any]:
    """A Service as it is when it reaches validation: defaulted, its addresses allocated."""
    base = {"clusterIP": "10.0.0.1", "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack", "ports": [{"port": 80}]}
    obj = {"metadata": {"name": "web"}, "spec": {k: v for k, v in {**base, **spec}.items() if v is not ...}}
    RESOURCE.default(obj)
    RESOURCE.prepare_for_create(obj)
    return obj


def _errors(obj: dict[str, Any], old: dict[str, Any] | None = None) -> list[str]:
    errors = FieldErrors()
    RESOURCE.validate(obj, errors)
    if old is not None:
        RESOURCE.validate_update(obj, old, errors)
    return [str(error) for error in errors]


EXTERNAL = {"type": "ExternalName", "clusterIP": ..., "ipFamilies": ..., "ipFamilyPolicy": ..., "ports": ...}
HEADLESS = {"clusterIP": "None", "ports": ...}
BALANCER = {"type": "LoadBalancer"}
LOCAL = {"type": "LoadBalancer", "externalTrafficPolicy": "Local"}
ONLY_BALANCER = "Forbidden: may only be used when `type` is 'LoadBalancer'"


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        ({}, []),
        (HEADLESS, []),
        ({"type": "NodePort"}, []),
        (BALANCER, []),
        ({**EXTERNAL, "externalName": "example.com."}, []),
        ({"clusterIP": ..., "ipFamilies": ..., "ipFamilyPolicy": ...}, []),
        ({"ports": []}, ["spec.ports: Required value"]),
        (
            {"type": "Tunnel"},
            [
                (
                    'spec.type: Unsupported value: "Tunnel": '
                    'supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"'
                )
            ],
        ),
        (
            {**HEADLESS, **BALANCER},
            ["spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for LoadBalancer services"],
        ),
        (
            {**EXTERNAL, "externalName": "example.com", "clusterIP": "10.0.0.1", "ipFamilyPolicy": "SingleStack"},
            [
                "spec.clusterIPs: Forbidden: may not be set for ExternalName services",
                "spec.ipFamilyPolicy: Forbidden: may not be set for ExternalName services",
            ],
        ),
        (EXTERNAL, ["spec.externalName: Required value"]),
        (
            {"sessionAffinity": "Cookie"},
            ['spec.sessionAffinity: Unsupported value: "Cookie": supported values: "ClientIP", "None"'],
        ),
        ({"sessionAffinity": "ClientIP"}, []),
        (
            {"sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 86401}}},
            [
                (
                    "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 86401: "
                    "must be greater than 0 and less than 86400"
                )
            ],
        ),
        (
            {"externalIPs": ["127.0.0.1"], "externalTrafficPolicy": "Cluster"},
            [
                (
                    'spec.externalIPs[0]: Invalid value: "127.0.0.1": '
                    "may not be in the loopback range (127.0.0.0/8, ::1/128)"
                )
            ],
        ),
        (
            {"externalTrafficPolicy": "Local"},
            [
                (
                    'spec.externalTrafficPolicy: Invalid value: "Local": '
                    "may only be set for externally-accessible services"
                )
            ],
        ),
        (
            {**BALANCER, "externalTrafficPolicy": "Near"},
            ['spec.externalTrafficPolicy: Unsupported value: "Near": supported values: "Cluster", "Local"'],
        ),
        (
            {"internalTrafficPolicy": "Near"},
            ['spec.internalTrafficPolicy: Unsupported value: "Near": supported values: "Cluster", "Local"'],
        ),
        (LOCAL, ["spec.healthCheckNodePort: Required value"]),
        ({**LOCAL, "healthCheckNodePort": 30000}, []),
        (
            {"healthCheckNodePort": 30000},
            [
                (
                    "spec.healthCheckNodePort: Invalid value: 30000: "
                    "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
                )
            ],
        ),
        ({"allocateLoadBalancerNodePorts": False}, [f"spec.allocateLoadBalancerNodePorts: {ONLY_BALANCER}"]),
        ({"loadBalancerClass": "example.com/x"}, [f"spec.loadBalancerClass: {ONLY_BALANCER}"]),
        ({"loadBalancerSourceRanges": ["10.0.0.0/8"]}, [f"spec.LoadBalancerSourceRanges: {ONLY_BALANCER}"]),
        ({**BALANCER, "loadBalancerSourceRanges": [" 10.0.0.0/8 "]}, []),
        ({"trafficDistribution": "PreferSameNode"}, []),
        (
            {"trafficDistribution": "Random"},
            [
                (
                    'spec.trafficDistribution: Unsupported value: "Random": '
                    'supported values: "PreferClose", "PreferSameNode", "PreferSameZone"'
                )
            ],
        ),
        (
            {"clusterIPs": ["10.0.0.2"]},
            ['spec.clusterIPs: Invalid value: ["10.0.0.2"]: first value must match `clusterIP`'],
        ),
        (
            {"clusterIP": ..., "clusterIPs": ["10.0.0.2"]},
            ['spec.clusterIPs: Invalid value: ["10.0.0.2"]: must be empty when `clusterIP` is not specified'],
        ),
        (
            {"clusterIPs": ["10.0.0.1", "10.0.0.2"]},
            [
                (
                    'spec.clusterIPs: Invalid value: ["10.0.0.1","10.0.0.2"]: '
                    "may specify no more than one IP for each IP family"
                )
            ],
        ),
        (
            {"clusterIP": "None", "clusterIPs": ["None", "10.0.0.2"]},
            ['spec.clusterIPs: Invalid value: ["None","10.0.0.2"]: \'None\' must be the first and only value'],
        ),
        (
            {"clusterIP": "fd00::1"},
            [('spec.clusterIPs[0]: Invalid value: "fd00::1": expected an IPv4 value as indicated by `ipFamilies[0]`')],
        ),
        (
            {"ipFamilies": ["IPv4", "IPv4"]},
            ['spec.ipFamilies[1]: Duplicate value: "IPv4"'],
        ),
        (
            {"ipFamilies": ["IPv5"]},
            ['spec.ipFamilies[0]: Unsupported value: "IPv5": supported values: "IPv4", "IPv6"'],
        ),
        (
            {"ipFamilyPolicy": "Any"},
            [
                (
                    'spec.ipFamilyPolicy: Unsupported value: "Any": '
                    'supported values: "PreferDualStack", "RequireDualStack", "SingleStack"'
                )
            ],
        ),
    ],
)
def test_spec(spec: dict[str, Any], wrong: list[str]) -> None:
    assert _errors(_service(**spec)) == wrong


@pytest.mark.parametrize(
    ("ports", "wrong"),
    [
        ([{"name": "a", "port": 80}, {"name": "b", "port": 80, "protocol": "UDP"}], []),
        ([{"port": 80}, {"name": "b", "port": 81}], ["spec.ports[0].name: Required value"]),
        ([{"name": "a", "port": 80}, {"name": "a", "port": 81}], ['spec.ports[1].name: Duplicate value: "a"']),
        (
            [{"port": 65536, "targetPort": 1}],
            ["spec.ports[0].port: Invalid value: 65536: must be between 1 and 65535, inclusive"],
        ),
        (
            [{"port": 80, "protocol": "TPC"}],
            ['spec.ports[0].protocol: Unsupported value: "TPC": supported values: "SCTP", "TCP", "UDP"'],
        ),
        ([{"port": 80, "targetPort": "http"}], []),
        (
            [{"port": 80, "targetPort": 70000}],
            ["spec.ports[0].targetPort: Invalid value: 70000: must be between 1 and 65535, inclusive"],
        ),
        (
            [{"port": 80, "nodePort": 30000}],
            ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
        ),
        (
            [{"name": "a", "port": 80}, {"name": "b", "port": 80}],
            [
                (
                    'spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,'
                    '"TargetPort":0,"NodePort":0}'
                )
            ],
        ),
    ],
)
def test_ports(ports: list[dict[str, Any]], wrong: list[str]) -> None:
    assert _errors(_service(ports=ports)) == wrong


def test_duplicate_node_port() -> None:
    ports = [{"name": "a", "port": 80, "nodePort": 30000}, {"name": "b", "port": 81, "nodePort": 30000}]
    assert _errors(_service(type="NodePort", ports=ports)) == ["spec.ports[1].nodePort: Duplicate value: 30000"]


def test_annotations() -> None:
    obj = _service()
    obj["metadata"]["annotations"] = {
        "service.kubernetes.io/topology-mode": "Auto",
        "service.kubernetes.io/topology-aware-hints": "Disabled",
        "service.beta.kubernetes.io/load-balancer-source-ranges": "10.0.0.0/8, x",
    }
    assert [error.partition(":")[0] for error in _errors(obj)] == [
        "metadata.annotations[service.kubernetes.io/topology-mode]",
        "metadata.annotations[service.beta.kubernetes.io/load-balancer-source-ranges]",
        "metadata.annotations[service.beta.kubernetes.io/load-balancer-source-ranges]",
    ]


DUAL = {"clusterIPs": ["10.0.0.1", "fd00::1"], "ipFamilies": ["IPv4", "IPv6"], "ipFamilyPolicy": "PreferDualStack"}
HC = {**LOCAL, "healthCheckNodePort": 30000}


@pytest.mark.parametrize(
    ("new", "old", "wrong"),
    [
        ({"ports": [{"port": 81}]}, {}, []),
        ({"clusterIP": "10.0.0.2"}, {}, ['spec.clusterIPs[0]: Invalid value: ["10.0.0.2"]: may not change once set']),
        (HEADLESS, {}, ['spec.clusterIPs[0]: Invalid value: ["None"]: may not change once set']),
        ({"clusterIP": "10.0.0.2"}, {**EXTERNAL, "externalName": "x.y"}, []),
        ({**HEADLESS, "ipFamilies": ["IPv6"]}, HEADLESS, []),
        (
            {"clusterIP": ..., "ipFamilies": ["IPv6"]},
            {"clusterIP": ...},
            ['spec.ipFamilies[0]: Invalid value: ["IPv6"]: may not change once set'],
        ),
        (DUAL, {}, []),
        ({}, DUAL, []),
        (
            {"ipFamilyPolicy": "PreferDualStack"},
            DUAL,
            [
                f"spec.ipFamilyPolicy: Invalid value: \"PreferDualStack\": must be set to 'SingleStack' when releasing "
                f"the secondary {what}"
                for what in ("clusterIP", "ipFamily")
            ],
        ),
        (
            {**BALANCER, "loadBalancerClass": "a/b"},
            BALANCER,
            ['spec.loadBalancerClass: Invalid value: "a/b": may not change once set'],
        ),
        ({**BALANCER, "loadBalancerClass": "a/b"}, {}, []),
        ({**HC, "healthCheckNodePort": 30001}, HC, ["spec.healthCheckNodePort: Forbidden: field is immutable"]),
    ],
)
def test_update(new: dict[str, Any], old: dict[str, Any], wrong: list[str]) -> None:
    assert _errors(_service(**new), _service(**old)) == wrong


def test_the_address_cannot_be_given_back() -> None:
    assert "spec.clusterIPs[0]: Invalid value: []: primary clusterIP can not be unset" in _errors(
        _service(clusterIP=...), _service()
    )


@pytest.mark.parametrize(
    ("ingress", "wrong"),
    [
        ({"ip": "1.2.3.4", "ipMode": "VIP"}, []),
        ({"hostname": "lb.example.com"}, []),
        (
            {"ip": "1.2.3.4"},
            ["status.loadBalancer.ingress[0].ipMode: Required value: must be specified when `ip` is set"],
        ),
        (
            {"hostname": "a.b", "ipMode": "VIP"},
            ["status.loadBalancer.ingress[0].ipMode: Forbidden: may not be specified when `ip` is not set"],
        ),
        (
            {"ip": "1.2.3.4", "ipMode": "X"},
            ['status.loadBalancer.ingress[0].ipMode: Unsupported value: "X": supported values: "Proxy", "VIP"'],
        ),
        (
            {"hostname": "1.2.3.4"},
            [
                (
                    'status.loadBalancer.ingress[0].hostname: Invalid value: "1.2.3.4": '
                    "must be a DNS name, not an IP address"
                )
            ],
        ),
    ],
)
def test_status(ingress: dict[str, Any], wrong: list[str]) -> None:
    errors = FieldErrors()
    obj = _service(**BALANCER)
    obj["status"] = {"loadBalancer": {"ingress": [ingress]}}
    RESOURCE.validate_status(obj, obj, errors)
    assert [str(error) for error in errors] == wrong


def test_status_of_other_types() -> None:
    errors = FieldErrors()
    obj = {**_service(), "status": {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}}
    RESOURCE.validate_status(obj, obj, errors)
    assert [error.detail for error in errors] == ["may only be used when `spec.type` is 'LoadBalancer'"]


def test_names_may_begin_with_a_digit() -> None:
    # KEP-5311, GA in v1.37.
    assert RESOURCE.validate_name("1-web") == []
    assert RESOURCE.validate_name("a.b")
