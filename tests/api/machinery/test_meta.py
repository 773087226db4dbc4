"""Metadata: the errors of creation and update, in upstream's words (pkg/api/validation/objectmeta_test.go)."""

from collections.abc import Callable

import pytest

from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.meta import validate_object_meta, validate_object_meta_update
from pilothouse.api.machinery.names import dns_label, dns_subdomain, path_segment
from pilothouse.api.machinery.view import JsonObject

Rule = Callable[[str], list[str]]


def created(meta: JsonObject, *, namespaced: bool = True, validate_name: Rule = dns_subdomain) -> list[str]:
    errors = FieldErrors()
    validate_object_meta(meta, namespaced=namespaced, validate_name=validate_name, errors=errors)
    return [str(error) for error in errors]


def updated(new: JsonObject, old: JsonObject) -> list[str]:
    errors = FieldErrors()
    base = {"name": "a", "namespace": "n", "uid": "1", "resourceVersion": "7"}
    validate_object_meta_update({**base, **new}, {**base, **old}, errors=errors)
    return [str(error) for error in errors]


OWNER = {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u"}


@pytest.mark.parametrize(
    ("meta", "namespaced", "wrong"),
    [
        ({"name": "a", "namespace": "n"}, True, []),
        ({"name": "a"}, False, []),
        ({"namespace": "n"}, True, ["metadata.name: Required value: name or generateName is required"]),
        ({"name": "a"}, True, ["metadata.namespace: Required value"]),
        ({"name": "a", "namespace": "n"}, False, ["metadata.namespace: Forbidden: not allowed on this type"]),
        ({"name": "a", "namespace": "n", "generation": -1}, True,
         ["metadata.generation: Invalid value: -1: must be greater than or equal to 0"]),
        ({"name": "a", "namespace": "n", "generateName": "good-"}, True, []),
        ({"name": "a", "namespace": "n", "finalizers": ["orphan", "foregroundDeletion"]}, True,
         [('metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: '
          "finalizer orphan and foregroundDeletion cannot be both set")]),
        ({"name": "a", "namespace": "n", "ownerReferences": [OWNER]}, True, []),
        ({"name": "a", "namespace": "n", "ownerReferences": [{"name": "x"}]}, True,
         ['metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty',
          'metadata.ownerReferences.kind: Invalid value: "": must not be empty',
          'metadata.ownerReferences.uid: Invalid value: "": must not be empty']),
        ({"name": "a", "namespace": "n", "managedFields": [{"operation": "Take"}]}, True,
         ['metadata.managedFields[0].operation: Invalid value: "Take": must be `Apply` or `Update`']),
        ({"name": "a", "namespace": "n", "managedFields": [{"operation": "Apply", "fieldsType": "V2"}]}, True,
         ['metadata.managedFields[0].fieldsType: Invalid value: "V2": must be `FieldsV1`']),
        ({"name": "a", "namespace": "n",
          "managedFields": [{"operation": "Update", "manager": "m" * 129, "subresource": "s" * 257}]}, True,
         ["metadata.managedFields[0].manager: Too long: may not be more than 128 bytes",
          "metadata.managedFields[0].subresource: Too long: may not be more than 256 bytes"]),
    ],
)  # fmt: skip
def test_creation(meta: JsonObject, namespaced: bool, wrong: list[str]) -> None:
    assert created(meta, namespaced=namespaced) == wrong


def test_prefixes_may_end_in_a_dash_and_nothing_else() -> None:
    assert len(created({"generateName": "Bad-", "name": "a", "namespace": "n"}, validate_name=dns_label)) == 1
    assert created({"generateName": ".", "name": "a"}, namespaced=False, validate_name=path_segment) == []
    wrong = created({"generateName": "a/", "name": "a"}, namespaced=False, validate_name=path_segment)
    assert wrong == ["metadata.generateName: Invalid value: \"a/\": may not contain '/'"]


def test_one_controller() -> None:
    owners = [{**OWNER, "controller": True}, {**OWNER, "name": "q", "controller": True}]
    [wrong] = created({"name": "a", "namespace": "n", "ownerReferences": owners})
    assert wrong.startswith("metadata.ownerReferences: Invalid value: [")
    assert wrong.endswith(
        'Only one reference can have Controller set to true. Found "true" in references for Pod/p and Pod/q'
    )


def test_events_own_nothing() -> None:
    owner = {"apiVersion": "v1", "kind": "Event", "name": "e", "uid": "u"}
    [wrong] = created({"name": "a", "namespace": "n", "ownerReferences": [owner]})
    assert wrong.endswith("/v1, Kind=Event is disallowed from being an owner")


@pytest.mark.parametrize(
    ("new", "old", "wrong"),
    [
        ({}, {}, []),
        ({"resourceVersion": ""}, {}, ['metadata.resourceVersion: Invalid value: "": must be specified for an update']),
        ({"name": "b"}, {}, ['metadata.name: Invalid value: "b": field is immutable']),
        ({"namespace": "m"}, {}, ['metadata.namespace: Invalid value: "m": field is immutable']),
        ({"uid": ""}, {}, ['metadata.uid: Invalid value: "": field is immutable']),
        ({"generation": 1}, {"generation": 2}, ["metadata.generation: Invalid value: 1: must not be decremented"]),
        ({"generation": 2}, {"generation": 1}, []),
        ({"deletionGracePeriodSeconds": 5}, {},
         ["metadata.deletionGracePeriodSeconds: Invalid value: 5: field is immutable"]),
        ({}, {"deletionTimestamp": "2030-01-01T00:00:00Z"},
         ["metadata.deletionTimestamp: Invalid value: null: field is immutable"]),
        ({"deletionTimestamp": "t", "finalizers": ["b", "a", "c"]}, {"deletionTimestamp": "t", "finalizers": ["a"]},
         [("metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, "
          'found new finalizers []string{"b", "c"}')]),
        ({"finalizers": ["a"]}, {"finalizers": []}, []),
    ],
)  # fmt: skip
def test_update(new: JsonObject, old: JsonObject, wrong: list[str]) -> None:
    assert updated(new, old) == wrong
