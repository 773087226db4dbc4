"""ReplicaSet. Sources: TestValidateReplicaSet* in pkg/apis/apps/validation/validation_test.go, printers_test.go."""

from typing import Any

import pytest

from pilothouse.api.apps.replica_set import RESOURCE
from pilothouse.api.machinery.field import FieldErrors

LABELS = {"app": "web"}


def _replica_set(**spec: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "app", "image": "web:1"}]}}
    obj: dict[str, Any] = {"spec": {"selector": {"matchLabels": LABELS}, "template": template, **spec}}
    RESOURCE.default(obj)
    return obj


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        ({}, []),
        ({"selector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "db"]}]}}, []),
        ({"minReadySeconds": -1}, ["spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0"]),
        (
            {"selector": {"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}},
            [
                (
                    'spec.template.metadata.labels: Invalid value: {"app":"web"}: '
                    "`selector` does not match template `labels`"
                )
            ],
        ),
    ],
)
def test_validate(spec: dict[str, Any], wrong: list[str]) -> None:
    errors = FieldErrors()
    RESOURCE.validate(_replica_set(**spec), errors)
    assert [str(error) for error in errors] == wrong


def test_default_and_create() -> None:
    obj = _replica_set()
    obj["status"] = {"replicas": 9}
    RESOURCE.prepare_for_create(obj)
    assert (obj["spec"]["replicas"], obj["status"]) == (1, {"replicas": 0})


def test_the_selector_stays() -> None:
    errors = FieldErrors()
    RESOURCE.validate_update(_replica_set(selector={}), _replica_set(), errors)
    assert [str(error) for error in errors] == ["spec.selector: Invalid value: {}: field is immutable"]


def test_status() -> None:
    errors = FieldErrors()
    status = {"replicas": 1, "fullyLabeledReplicas": 2, "readyReplicas": -1, "availableReplicas": 0}
    status["terminatingReplicas"] = -2
    RESOURCE.validate_status({"status": status}, {}, errors)
    assert [str(error) for error in errors] == [
        "status.readyReplicas: Invalid value: -1: must be greater than or equal to 0",
        "status.terminatingReplicas: Invalid value: -2: must be greater than or equal to 0",
        "status.fullyLabeledReplicas: Invalid value: 2: cannot be greater than status.replicas",
        "status.availableReplicas: Invalid value: 0: cannot be greater than readyReplicas",
    ]


def test_columns() -> None:
    obj = {**_replica_set(replicas=3), "status": {"replicas": 2, "readyReplicas": 1}}
    cells = [column.cell(obj, 0) for column in RESOURCE.columns]
    assert cells == [3, 2, 1, "<unknown>", "app", "web:1", "app=web"]
    assert RESOURCE.selectable_fields["status.replicas"](obj) == "2"
