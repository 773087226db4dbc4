"""LimitRange. Source: TestValidateLimitRange in pkg/apis/core/validation/validation_test.go."""

from typing import Any

import pytest

from fakes.judged import created
from pilothouse.api.core.limit_range import RESOURCE

L = "spec.limits[0]"


def _errors(*limits: dict[str, Any]) -> list[str]:
    return created(RESOURCE, {"metadata": {"name": "l"}, "spec": {"limits": list(limits)}}, {})


@pytest.mark.parametrize(
    ("limit", "wrong"),
    [
        ({"type": "Pod", "max": {"cpu": "2"}, "min": {"cpu": "1"}, "maxLimitRequestRatio": {"cpu": "2"}}, []),
        ({"type": "Container", "max": {"cpu": "2", "example.com/gpu": "1"}, "defaultRequest": {"cpu": "1"}}, []),
        ({"type": "PersistentVolumeClaim", "max": {"storage": "10Gi"}}, []),
        ({"type": "example.com/Thing", "max": {"storage": "1"}}, []),
        (
            {"type": "Thing"},
            [f'{L}.type: Invalid value: "Thing": must be a standard limit type or fully qualified'],
        ),
        (
            {"type": "Pod", "default": {"cpu": "1"}, "defaultRequest": {"cpu": "1"}},
            [
                f"{L}.default: Forbidden: may not be specified when `type` is 'Pod'",
                f"{L}.defaultRequest: Forbidden: may not be specified when `type` is 'Pod'",
            ],
        ),
        (
            {"type": "PersistentVolumeClaim"},
            [
                (
                    f"{L}.limits: Required value: "
                    "either minimum or maximum storage value is required, but neither was provided"
                )
            ],
        ),
        (
            {"type": "Pod", "max": {"storage": "1"}},
            [f'{L}.max[storage]: Invalid value: "storage": must be a standard resource for containers'],
        ),
        (
            {"type": "Pod", "max": {"cpu": "1"}, "min": {"cpu": "2"}},
            [f'{L}.min[cpu]: Invalid value: "2": min value 2 is greater than max value 1'],
        ),
        (
            {"type": "Container", "min": {"cpu": "2"}, "defaultRequest": {"cpu": "1"}},
            [f'{L}.defaultRequest[cpu]: Invalid value: "1": min value 2 is greater than default request value 1'],
        ),
        (
            {"type": "Container", "max": {"cpu": "1"}, "defaultRequest": {"cpu": "2"}, "default": {"cpu": "3"}},
            [
                f'{L}.defaultRequest[cpu]: Invalid value: "2": default request value 2 is greater than max value 1',
                f'{L}.default[cpu]: Invalid value: "1": default value 3 is greater than max value 1',
            ],
        ),
        (
            {"type": "Container", "defaultRequest": {"cpu": "2"}, "default": {"cpu": "1"}},
            [
                (
                    f'{L}.defaultRequest[cpu]: Invalid value: "2": '
                    "default request value 2 is greater than default limit value 1"
                )
            ],
        ),
        (
            {"type": "Container", "min": {"cpu": "2"}, "defaultRequest": {"cpu": "2"}, "default": {"cpu": "1"}},
            [
                (
                    f'{L}.defaultRequest[cpu]: Invalid value: "2": '
                    "default request value 2 is greater than default limit value 1"
                ),
                f'{L}.default[cpu]: Invalid value: "2": min value 2 is greater than default value 1',
            ],
        ),
        (
            {"type": "Pod", "maxLimitRequestRatio": {"cpu": "800m"}},
            [f'{L}.maxLimitRequestRatio[cpu]: Invalid value: "800m": ratio 800m is less than 1'],
        ),
        (
            {"type": "Pod", "min": {"cpu": "1"}, "max": {"cpu": "2"}, "maxLimitRequestRatio": {"cpu": "10"}},
            [(f'{L}.maxLimitRequestRatio[cpu]: Invalid value: "10": ratio 10 is greater than max/min = 2.000000')],
        ),
        (
            {"type": "Container", "default": {"a.b/c": "2"}, "defaultRequest": {"a.b/c": "1"}},
            [
                (
                    f'{L}.defaultRequest[a.b/c]: Invalid value: "1": '
                    "default value 2 must equal to defaultRequest value 1 in a.b/c"
                )
            ],
        ),
    ],
)
def test_create(limit: dict[str, Any], wrong: list[str]) -> None:
    assert _errors(limit) == wrong


def test_a_type_is_there_once() -> None:
    assert _errors({"type": "Pod"}, {"type": "Pod"}) == ['spec.limits[1].type: Duplicate value: "Pod"']
