"""Warnings for Services. Expected texts: pkg/api/service/warnings_test.go."""

from typing import Any

import pytest

from pilothouse.api.core.service.warnings import warn

HEADLESS = {"type": "ClusterIP", "clusterIP": "None", "sessionAffinity": "None"}
PLAIN = {"type": "ClusterIP", "clusterIP": "10.0.0.1", "sessionAffinity": "None"}


@pytest.mark.parametrize(
    ("annotations", "spec", "expected"),
    [
        ({}, PLAIN, []),
        ({}, HEADLESS, []),
        ({}, {**PLAIN, "sessionAffinity": "ClientIP"}, []),
        (
            {"service.kubernetes.io/topology-aware-hints": "auto"},
            PLAIN,
            [
                (
                    "annotation service.kubernetes.io/topology-aware-hints is deprecated, please use "
                    "service.kubernetes.io/topology-mode instead"
                )
            ],
        ),
        (
            {},
            {**HEADLESS, "sessionAffinity": "ClientIP", "externalIPs": ["1.2.3.4"], "loadBalancerIP": "1.2.3.4"},
            [
                "spec.loadBalancerIP is ignored for headless services",
                "spec.externalIPs is ignored for headless services",
                "spec.SessionAffinity is ignored for headless services",
            ],
        ),
        (
            {},
            {**PLAIN, "externalIPs": ["1.2.3.4"]},
            ["spec.externalIPs is deprecated and may no longer be implemented in some clusters"],
        ),
        (
            {},
            {"type": "ExternalName", "externalName": "a.b", "externalIPs": ["1.2.3.4"]},
            ['spec.externalIPs is ignored when spec.type is "ExternalName"'],
        ),
        ({}, {**PLAIN, "externalName": "a.b"}, ['spec.externalName is ignored when spec.type is not "ExternalName"']),
        (
            {},
            {**PLAIN, "trafficDistribution": "PreferClose"},
            ['spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'],
        ),
    ],
)
def test_warnings(annotations: dict[str, str], spec: dict[str, Any], expected: list[str]) -> None:
    service = {"metadata": {"annotations": annotations}, "spec": spec}
    assert warn(service, None) == expected
    assert warn(service, service) == expected
