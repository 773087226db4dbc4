"""Changes through `ephemeralcontainers` and `resize`. Expected texts: pkg/apis/core/validation/validation.go."""

import pytest

from pilothouse.api.core.pod.subresource_update import validate_ephemeral_containers_update, validate_resize
from pilothouse.api.core.pod.validation.annotations import MIRROR
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.view import JsonObject


def pod(resources: JsonObject, **spec: object) -> JsonObject:
    return {"metadata": {}, "spec": {"containers": [{"name": "c", "resources": resources}], **spec}, "status": {}}


def resize(new: JsonObject, old: JsonObject) -> list[str]:
    errors = FieldErrors()
    validate_resize(new, old, errors)
    return [str(error) for error in errors]


FULL = {"cpu": "1", "memory": "1Gi"}


@pytest.mark.parametrize(
    ("new", "old", "expected"),
    [
        ({"requests": {"cpu": "2"}}, {"requests": {"cpu": "1"}}, []),
        (
            {"requests": {}},
            {"requests": {"cpu": "1"}},
            [
                'spec: Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing',
                "spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed",
            ],
        ),
        (
            {"requests": {"cpu": "1", "ephemeral-storage": "2Gi"}},
            {"requests": {"cpu": "1", "ephemeral-storage": "1Gi"}},
            ["spec: Forbidden: only cpu and memory resources are mutable"],
        ),
        (
            {"requests": FULL, "limits": {"cpu": "2", "memory": "1Gi"}},
            {"requests": FULL, "limits": FULL},
            ['spec: Invalid value: "Guaranteed": Pod QOS Class may not change as a result of resizing'],
        ),
    ],
)
def test_resize(new: JsonObject, old: JsonObject, expected: list[str]) -> None:
    assert resize(pod(new), pod(old)) == expected


def test_what_cannot_be_resized() -> None:
    static = pod({})
    static["metadata"]["annotations"] = {MIRROR: "x"}
    assert resize(pod({}), static) == ["[]: Forbidden: static pods cannot be resized"]
    assert resize(pod({}), pod({}, os={"name": "windows"})) == ["[]: Forbidden: windows pods cannot be resized"]
    renamed = pod({})
    renamed["spec"]["containers"][0]["name"] = "other"
    assert resize(renamed, pod({})) == ["spec: Forbidden: only cpu and memory resources are mutable"]


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ([{"name": "a", "image": "i"}, {"name": "b"}], []),
        ([], ['spec.ephemeralContainers: Forbidden: existing ephemeral containers "a" may not be removed\n']),
        (
            [{"name": "a", "image": "j"}],
            [
                (
                    'spec.ephemeralContainers: Forbidden: existing ephemeral containers "a" may not be changed\n'
                    "--- expected\n+++ got\n@@ -1,4 +1,4 @@\n"
                    ' {\n-  "image": "i",\n+  "image": "j",\n   "name": "a"\n }\n'
                )
            ],
        ),
    ],
)
def test_ephemeral_containers_are_only_added(new: list[JsonObject], expected: list[str]) -> None:
    errors = FieldErrors()
    old: JsonObject = {"spec": {"ephemeralContainers": [{"name": "a", "image": "i"}]}}
    validate_ephemeral_containers_update({"spec": {"ephemeralContainers": new}}, old, errors)
    assert [str(error) for error in errors] == expected
