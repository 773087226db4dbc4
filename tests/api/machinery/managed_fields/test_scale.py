"""Entries of a workload as its scale shows them, and back."""

from typing import Any

import pytest

from pilothouse.api.machinery.managed_fields import to_parent, to_scale

PATH = ("spec", "replicas")
REPLICAS: Any = {"f:spec": {"f:replicas": {}}}
BOTH: Any = {"f:spec": {"f:paused": {}, "f:replicas": {}}}
PAUSED: Any = {"f:spec": {"f:paused": {}}}


def entry(manager: str, fields: Any, operation: str = "Update", part: str = "", version: str = "apps/v1") -> Any:
    made = {"manager": manager, "operation": operation, "apiVersion": version, "time": "2030-01-01T00:00:00Z",
            "fieldsType": "FieldsV1", "fieldsV1": fields, "subresource": part}  # fmt: skip
    return {key: value for key, value in made.items() if value}


def timeless(made: Any) -> Any:
    return {key: value for key, value in made.items() if key != "time"}


def test_who_has_the_replicas() -> None:
    listed = [entry("a", BOTH, "Apply"), entry("b", PAUSED), entry("c", REPLICAS, part="scale")]
    assert to_scale(listed, PATH) == [
        entry("a", REPLICAS, "Apply", version="autoscaling/v1"),
        entry("c", REPLICAS, part="scale", version="autoscaling/v1"),
    ]


@pytest.mark.parametrize("operation", ["Apply", "Update"])
def test_what_the_scale_says_afterwards(operation: str) -> None:
    listed = [entry("a", BOTH, operation), entry("b", REPLICAS), entry("c", PAUSED)]
    taken = entry("d", REPLICAS, part="scale", version="autoscaling/v1")
    assert to_parent(listed, [taken], PATH, "apps/v1") == [
        *([entry("a", PAUSED, "Apply")] if operation == "Apply" else []),
        timeless(entry("d", REPLICAS, part="scale")),
        *([entry("a", PAUSED)] if operation == "Update" else []),
        entry("c", PAUSED),
    ]
    kept = entry("a", REPLICAS, operation, version="autoscaling/v1")
    assert to_parent(listed, [kept], PATH, "apps/v1") == [entry("a", BOTH, operation), entry("c", PAUSED)]
