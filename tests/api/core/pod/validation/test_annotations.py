"""Rules of the annotations a pod is read by. Expected texts: pkg/apis/core/validation/validation.go."""

import pytest

from pilothouse.api.core.pod.validation.annotations import (
    APP_ARMOR,
    DELETION_COST,
    MIRROR,
    SECCOMP_POD,
    validate_annotation_changes,
    validate_annotations,
    validate_profiles_agree,
)
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.view import JsonObject


def texts(errors: FieldErrors) -> list[str]:
    return [str(error) for error in errors]


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        ({MIRROR: "x"}, [f'a[{MIRROR}]: Invalid value: "x": must set spec.nodeName if mirror pod annotation is set']),
        ({DELETION_COST: "-10"}, []),
        ({DELETION_COST: "0"}, []),
        ({DELETION_COST: "+1"}, [f'a[{DELETION_COST}]: Invalid value: "+1": must be a 32bit integer']),
        ({DELETION_COST: "01"}, [f'a[{DELETION_COST}]: Invalid value: "01": must be a 32bit integer']),
        ({DELETION_COST: ""}, [f'a[{DELETION_COST}]: Invalid value: "": must be a 32bit integer']),
        ({DELETION_COST: "2147483648"}, [f'a[{DELETION_COST}]: Invalid value: "2147483648": must be a 32bit integer']),
        ({SECCOMP_POD: "x"}, [f'a.{SECCOMP_POD}: Invalid value: "x": must be a valid seccomp profile']),
        ({f"{APP_ARMOR}c": "runtime/default"}, []),
        ({f"{APP_ARMOR}zz": "unconfined"}, [f'a[{APP_ARMOR}zz]: Invalid value: "zz": container not found']),
    ],
)
def test_annotations(annotations: JsonObject, expected: list[str]) -> None:
    errors = FieldErrors()
    validate_annotations(annotations, {"containers": [{"name": "c"}]}, errors, "a")
    assert texts(errors) == expected


def test_what_may_not_change() -> None:
    errors = FieldErrors()
    validate_annotation_changes({f"{APP_ARMOR}c": "x", "other": "y"}, {MIRROR: "x"}, errors, "a")
    assert texts(errors) == [
        f"a[{MIRROR}]: Forbidden: may not remove or update mirror pod annotation",
        f"a[{APP_ARMOR}c]: Forbidden: may not add AppArmor annotations",
    ]


def test_annotation_and_field_name_the_same_profile() -> None:
    spec = {"securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}}
    errors = FieldErrors()
    validate_profiles_agree({SECCOMP_POD: "docker/default"}, spec, errors, "spec")
    assert errors == []
    validate_profiles_agree({SECCOMP_POD: "unconfined"}, spec, errors, "spec")
    assert texts(errors) == [
        "spec.securityContext.seccompProfile.type: Forbidden: seccomp type in annotation and field must match"
    ]
