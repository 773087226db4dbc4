"""Rules of requests and limits. Expected texts: pkg/apis/core/validation/validation.go."""

import pytest

from pilothouse.api.core.pod.validation.requirements import validate_pod_resources, validate_requirements
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.view import JsonObject


@pytest.mark.parametrize(
    ("requirements", "expected"),
    [
        ({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}, []),
        (
            {"limits": {"cpu": "1"}, "requests": {"cpu": "2"}},
            ['r.requests: Invalid value: "2": must be less than or equal to cpu limit of 1'],
        ),
        (
            {"limits": {"example.com/gpu": "2"}, "requests": {"example.com/gpu": "1"}},
            ['r.requests: Invalid value: "1": must be equal to example.com/gpu limit of 2'],
        ),
        (
            {"requests": {"example.com/gpu": "1"}},
            ["r.limits: Required value: Limit must be set for non overcommitable resources"],
        ),
        (
            {"limits": {"example.com/gpu": "500m"}},
            ['r.limits[example.com/gpu]: Invalid value: "500m": must be an integer'],
        ),
        (
            {"limits": {"cpu": "-1"}},
            ['r.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0'],
        ),
        (
            {"limits": {"bogus": "1"}},
            ['r.limits[bogus]: Invalid value: "bogus": must be a standard resource type or fully qualified',
             'r.limits[bogus]: Invalid value: "bogus": must be a standard resource for containers'],
        ),
        (
            {"limits": {"pods": "1"}},
            ['r.limits[pods]: Invalid value: "pods": must be a standard resource for containers'],
        ),
        (
            {"limits": {"requests.example.com/x": "1"}},
            [('r.limits[requests.example.com/x]: Invalid value: "requests.example.com/x": doesn\'t follow extended '
             "resource name standard")],
        ),
        (
            {"limits": {"hugepages-2Mi": "2Mi"}, "requests": {"hugepages-2Mi": "2Mi"}},
            ["r: Forbidden: HugePages require cpu or memory"],
        ),
        (
            {"limits": {"cpu": "1", "hugepages-2Mi": "3Mi"}},
            ['r.limits[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi'],
        ),
        (
            {"claims": [{"name": "a"}, {"name": "a"}, {"name": "zz"}]},
            ['r.claims[1]: Duplicate value: "a"',
             'r.claims[2]: Not found: "zz": must be one of the names in pod.spec.resourceClaims: a'],
        ),
    ],
)  # fmt: skip
def test_requirements(requirements: JsonObject, expected: list[str]) -> None:
    errors = FieldErrors()
    validate_requirements(requirements, {"a"}, errors, "r")
    assert [str(error) for error in errors] == expected


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ({"requests": {"cpu": "2"}, "limits": {"cpu": "2"}}, []),
        (
            {"requests": {"cpu": "1"}},
            ['r.requests[cpu]: Invalid value: "1": must be greater than or equal to aggregate container requests of 2'],
        ),
        (
            {"requests": {"cpu": "2"}, "limits": {"cpu": "500m", "pods": "1"}},
            ['r.limits[pods]: Unsupported value: "pods": supported values: "cpu", "hugepages-", "memory"',
             'r.requests: Invalid value: "2": must be less than or equal to cpu limit of 500m',
             'r.containers[0][cpu].limits: Invalid value: "1": must be less than or equal to pod limits of 500m',
             'r.containers[1][cpu].limits: Invalid value: "1": must be less than or equal to pod limits of 500m'],
        ),
        (
            {"claims": []},
            ["r.claims: Forbidden: claims cannot be set for Resources at pod-level",
             'r.requests[cpu]: Invalid value: "0": must be greater than or equal to aggregate container requests of 2'],
        ),
    ],
)  # fmt: skip
def test_the_pod_as_a_whole(resources: JsonObject, expected: list[str]) -> None:
    container = {"resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "1"}}}
    errors = FieldErrors()
    validate_pod_resources({"resources": resources, "containers": [container, container]}, errors, "r")
    assert [str(error) for error in errors] == expected
