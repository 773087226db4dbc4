"""Tables as kubectl reads them."""

from typing import Any

import pytest

from pilothouse.api.machinery.columns import AGE, show
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.machinery.schema import Schemas
from pilothouse.api.machinery.table import (
    IncludeObject,
    column_definitions,
    columns,
    partial_metadata,
    row,
    table,
)
from pilothouse.api.types.core_v1 import ConfigMap, Event

SCHEMAS = Schemas()
DATA = Column("Data", lambda obj, _now: len(obj.get("data") or ()), type="integer", priority=1)
CONFIG_MAPS = Resource(kind=ConfigMap, group="", version="v1", plural="configmaps", columns=(DATA, AGE))
PLAIN = Resource(kind=ConfigMap, group="", version="v1", plural="configmaps")
EVENTS = Resource(
    kind=Event,
    group="",
    version="v1",
    plural="events",
    columns=(Column("Reason", show("reason")), Column("Name", show("metadata", "name"), priority=1)),
)
OBJECT: dict[str, Any] = {
    "kind": "ConfigMap", "apiVersion": "v1", "data": {"a": "b"},
    "metadata": {"name": "one", "namespace": "default", "creationTimestamp": "1970-01-01T00:00:00Z"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("resource", "names"),
    [(CONFIG_MAPS, ["Name", "Data", "Age"]), (PLAIN, ["Name", "Age"]), (EVENTS, ["Reason", "Name"])],
)
def test_name_comes_first_unless_the_kind_places_it(resource: Resource[Any], names: list[str]) -> None:
    assert [column.name for column in columns(resource)] == names
    assert [column["name"] for column in column_definitions(resource, SCHEMAS)] == names


def test_column_definitions() -> None:
    name, data, age = column_definitions(CONFIG_MAPS, SCHEMAS)
    assert (name["type"], name["format"], name["priority"]) == ("string", "name", 0)
    assert name["description"].startswith("Name must be unique within a namespace.")
    assert data == {"name": "Data", "type": "integer", "format": "", "description": "", "priority": 1}
    assert age["description"].startswith("CreationTimestamp is a timestamp")


@pytest.mark.parametrize(
    ("include", "wanted"),
    [
        (IncludeObject.NONE, None),
        (IncludeObject.METADATA, {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
                                  "metadata": OBJECT["metadata"]}),
        (IncludeObject.OBJECT, OBJECT),
    ],
)  # fmt: skip
def test_rows(include: IncludeObject, wanted: Any) -> None:
    assert row(columns(CONFIG_MAPS), OBJECT, 90, include) == {"cells": ["one", 1, "90s"], "object": wanted}


def test_a_table_has_the_lists_metadata_and_its_head_once() -> None:
    metadata = {"resourceVersion": "5", "continue": "", "remainingItemCount": 3, "name": "one"}
    assert table([{"name": "Name"}], [{"cells": []}], metadata) == {
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": "5", "remainingItemCount": 3},
        "columnDefinitions": [{"name": "Name"}], "rows": [{"cells": []}],
    }  # fmt: skip
    assert table(None, (), {}, "v1beta1")["columnDefinitions"] is None
    assert partial_metadata({}, "v1beta1")["apiVersion"] == "meta.k8s.io/v1beta1"
