"""IPAddress. Source: TestValidateIPAddress in pkg/apis/networking/validation/validation_test.go."""

from typing import Any

import pytest

from fakes.judged import created, updated
from pilothouse.api.networking.ip_address import RESOURCE

PARENT = {"resource": "services", "name": "web", "namespace": "default"}
GOOD: dict[str, Any] = {"metadata": {"name": "10.0.0.1"}, "spec": {"parentRef": PARENT}}


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        ({}, []),
        ({"parentRef": None}, ["spec.parentRef: Required value"]),
        (
            {"parentRef": {"resource": "", "name": None}},
            ["spec.parentRef.resource: Required value", "spec.parentRef.name: Required value"],
        ),
        (
            {"parentRef": {"namespace": "a/b"}},
            ["spec.parentRef.namespace: Invalid value: \"a/b\": may not contain '/'"],
        ),
    ],
)
def test_create(spec: dict[str, Any], wrong: list[str]) -> None:
    assert created(RESOURCE, GOOD, {"spec": spec}) == wrong


def test_a_group_is_a_domain() -> None:
    found = created(RESOURCE, GOOD, {"spec": {"parentRef": {"group": "A"}}})
    assert [error.partition(": ")[0] for error in found] == ["spec.parentRef.group"]


def test_the_holder_stays() -> None:
    assert updated(RESOURCE, GOOD, {"metadata": {"labels": {"a": "b"}}}) == []
    shown = '{"Group":"","Resource":"services","Namespace":"default","Name":"other"}'
    assert updated(RESOURCE, GOOD, {"spec": {"parentRef": {"name": "other"}}}) == [
        f"spec.parentRef: Invalid value: {shown}: field is immutable"
    ]
