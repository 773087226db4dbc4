"""Families of a Service. Source: TestInitIPFamilies in pkg/registry/core/service/storage/rest_test.go; KEP-563."""

from typing import Any

import pytest

from pilothouse.api.core.service.families import init_families
from pilothouse.api.machinery.field import FieldErrors

FOUR, SIX, BOTH = ("IPv4",), ("IPv6",), ("IPv4", "IPv6")
NO_DUAL = (
    'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services'
)


def _init(
    spec: dict[str, Any], configured: tuple[str, ...], old: dict[str, Any] | None = None
) -> tuple[dict[str, Any], list[str]]:
    obj = {"spec": {"type": "ClusterIP", "selector": {"a": "b"}, **spec}}
    errors = FieldErrors()
    stored = None if old is None else {"spec": {"type": "ClusterIP", **old}}
    init_families(obj, stored, configured, errors)
    return obj["spec"], [str(error) for error in errors]


@pytest.mark.parametrize(
    ("spec", "configured", "policy", "families"),
    [
        ({}, FOUR, "SingleStack", ["IPv4"]),
        ({}, SIX, "SingleStack", ["IPv6"]),
        ({}, BOTH, "SingleStack", ["IPv4"]),
        ({"ipFamilies": ["IPv6"]}, BOTH, "SingleStack", ["IPv6"]),
        ({"ipFamilyPolicy": "PreferDualStack"}, FOUR, "PreferDualStack", ["IPv4"]),
        ({"ipFamilyPolicy": "PreferDualStack"}, BOTH, "PreferDualStack", ["IPv4", "IPv6"]),
        ({"ipFamilyPolicy": "RequireDualStack", "ipFamilies": ["IPv6"]}, BOTH, "RequireDualStack", ["IPv6", "IPv4"]),
        ({"clusterIP": "fd00::1", "clusterIPs": ["fd00::1"]}, BOTH, "SingleStack", ["IPv6"]),
        ({"clusterIP": "None", "clusterIPs": ["None"]}, FOUR, "SingleStack", ["IPv4"]),
        ({"clusterIP": "None", "clusterIPs": ["None"], "selector": {}}, FOUR, "RequireDualStack", ["IPv4", "IPv6"]),
        (
            {"clusterIP": "None", "clusterIPs": ["None"], "selector": {}, "ipFamilyPolicy": "SingleStack"},
            FOUR,
            "SingleStack",
            ["IPv4"],
        ),
        ({"type": "ExternalName"}, FOUR, None, None),
    ],
)
def test_create(spec: dict[str, Any], configured: tuple[str, ...], policy: str, families: list[str]) -> None:
    found, wrong = _init(spec, configured)
    assert wrong == []
    assert (found.get("ipFamilyPolicy"), found.get("ipFamilies")) == (policy, families)


@pytest.mark.parametrize(
    ("spec", "configured", "wrong"),
    [
        ({"ipFamilyPolicy": "RequireDualStack"}, FOUR, [NO_DUAL]),
        (
            {"ipFamilies": ["IPv6"]},
            FOUR,
            ['spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster'],
        ),
        (
            {"clusterIP": "fd00::1", "clusterIPs": ["fd00::1"]},
            FOUR,
            ['spec.clusterIPs[0]: Invalid value: ["fd00::1"]: IPv6 is not configured on this cluster'],
        ),
        (
            {"ipFamilies": ["IPv4", "IPv6"]},
            BOTH,
            [
                (
                    'spec.ipFamilyPolicy: Invalid value: "SingleStack": '
                    "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified"
                )
            ],
        ),
        ({"ipFamilies": ["IPv4", "IPv4"]}, BOTH, ['spec.ipFamilies[1]: Duplicate value: "IPv4"']),
    ],
)
def test_refused(spec: dict[str, Any], configured: tuple[str, ...], wrong: list[str]) -> None:
    assert _init(spec, configured)[1] == wrong


DUAL = {
    "clusterIP": "10.0.0.1",
    "clusterIPs": ["10.0.0.1", "fd00::1"],
    "ipFamilies": ["IPv4", "IPv6"],
    "ipFamilyPolicy": "PreferDualStack",
}


def test_single_stack_gives_the_second_back() -> None:
    found, wrong = _init({**DUAL, "ipFamilyPolicy": "SingleStack"}, BOTH, DUAL)
    assert (found["clusterIPs"], found["ipFamilies"], wrong) == (["10.0.0.1"], ["IPv4"], [])


def test_giving_back_needs_the_policy() -> None:
    _, wrong = _init({**DUAL, "ipFamilies": ["IPv4"], "clusterIPs": ["10.0.0.1"]}, BOTH, DUAL)
    assert [error.rpartition(": ")[2] for error in wrong] == [
        "must be 'SingleStack' to release the secondary cluster IP",
        "must be 'SingleStack' to release the secondary IP family",
    ]


def test_the_stored_policy_counts_where_none_is_given() -> None:
    old = {**DUAL, "ipFamilyPolicy": "RequireDualStack"}
    found, wrong = _init({key: DUAL[key] for key in ("clusterIP", "clusterIPs", "ipFamilies")}, BOTH, old)
    assert (found["ipFamilyPolicy"], wrong) == ("RequireDualStack", [])


def test_a_changed_cluster_does_not_change_who_prefers_two() -> None:
    one = {**DUAL, "clusterIPs": ["10.0.0.1"], "ipFamilies": ["IPv4"]}
    assert _init(one, BOTH, one)[0]["ipFamilies"] == ["IPv4"]
