"""Namespace. Sources: pkg/apis/core/v1/defaults_test.go, pkg/registry/core/namespace/strategy_test.go,
TestValidateNamespace* in pkg/apis/core/validation/validation_test.go."""

from typing import Any

import pytest

from pilothouse.api.core.namespace import RESOURCE, prepare_for_finalize, validate_finalize
from pilothouse.api.machinery.field import FieldErrors

UNQUALIFIED = "name is neither a standard finalizer name nor is it fully qualified"


def _new(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "shop", "labels": None}, "spec": spec}


def test_default_and_create() -> None:
    obj = _new()
    RESOURCE.default(obj)
    RESOURCE.prepare_for_create(obj)
    assert obj == {
        "metadata": {"name": "shop", "labels": {"kubernetes.io/metadata.name": "shop"}},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }


def test_the_name_label_follows_the_name() -> None:
    obj = {"metadata": {"name": "shop", "labels": {"kubernetes.io/metadata.name": "other", "a": "b"}}}
    RESOURCE.default(obj)
    assert obj["metadata"]["labels"] == {"kubernetes.io/metadata.name": "shop", "a": "b"}
    nameless: dict[str, Any] = {"metadata": {"generateName": "shop-"}}
    RESOURCE.default(nameless)
    assert "labels" not in nameless["metadata"]


def test_other_finalizers_are_kept() -> None:
    obj = _new(finalizers=["example.com/x"])
    RESOURCE.prepare_for_create(obj)
    assert obj["spec"]["finalizers"] == ["example.com/x", "kubernetes"]


def test_update_keeps_finalizers_and_status() -> None:
    old = {"metadata": {"name": "shop"}, "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}
    obj = {"metadata": {"name": "shop"}, "status": {"phase": "Gone"}}
    RESOURCE.prepare_for_update(obj, old)
    assert obj == old
    emptied = {"metadata": {"name": "shop"}, "spec": {"finalizers": []}, "status": {"phase": "Gone"}}
    prepare_for_finalize(emptied, old)
    assert emptied == {**old, "spec": {"finalizers": []}}


@pytest.mark.parametrize(
    ("finalizer", "wrong"),
    [
        ("kubernetes", []),
        ("orphan", []),
        ("example.com/x", []),
        (
            "mine",
            [f'spec.finalizers: Invalid value: "mine": {UNQUALIFIED}'],
        ),
    ],
)
def test_finalizers(finalizer: str, wrong: list[str]) -> None:
    errors = FieldErrors()
    RESOURCE.validate(_new(finalizers=[finalizer]), errors)
    assert [str(error) for error in errors] == wrong
    finalize_errors = FieldErrors()
    validate_finalize(_new(finalizers=["kubernetes", finalizer]), {}, finalize_errors)
    assert [error.path for error in finalize_errors] == ["spec.finalizers[1]" for _ in wrong]


@pytest.mark.parametrize(
    ("phase", "deleted", "wrong"),
    [
        ("Active", False, []),
        ("Terminating", True, []),
        (
            "Terminating",
            False,
            ["status.Phase: Invalid value: \"Terminating\": may only be 'Active' if `deletionTimestamp` is empty"],
        ),
        (
            "Active",
            True,
            ["status.Phase: Invalid value: \"Active\": may only be 'Terminating' if `deletionTimestamp` is not empty"],
        ),
    ],
)
def test_phase(phase: str, deleted: bool, wrong: list[str]) -> None:
    metadata = {"deletionTimestamp": "2024-01-01T00:00:00Z"} if deleted else {}
    errors = FieldErrors()
    RESOURCE.validate_status({"metadata": metadata, "status": {"phase": phase}}, {}, errors)
    assert [str(error) for error in errors] == wrong


def test_names_are_labels() -> None:
    assert RESOURCE.validate_name("a-b") == []
    assert RESOURCE.validate_name("a.b")


def test_columns() -> None:
    obj = {"metadata": {"creationTimestamp": "1970-01-01T00:00:00Z"}, "status": {"phase": "Active"}}
    assert [(c.name, c.cell(obj, 60)) for c in RESOURCE.columns] == [("Status", "Active"), ("Age", "60s")]
    assert RESOURCE.selectable_fields["status.phase"](obj) == "Active"
