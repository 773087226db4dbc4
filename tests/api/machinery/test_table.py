"""Tables as kubectl reads them."""

from typing import Any

import orjson
import pytest

from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.columns import AGE, human_duration, show
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.machinery.schema import Schemas
from pilothouse.api.machinery.table import (
    Row,
    column_definitions,
    columns,
    partial_metadata,
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


@pytest.mark.parametrize(("now", "age"), [(90, "90s"), (3600, "60m"), (-5, "<invalid>")])
def test_a_row_is_made_once_and_shows_its_age_when_asked(now: float, age: str) -> None:
    row = Row(columns(CONFIG_MAPS), OBJECT)
    assert orjson.loads(row.at(now, b"null")) == {"cells": ["one", 1, age], "object": None}
    assert orjson.loads(row.at(now, b'{"a":1}'))["object"] == {"a": 1}


def test_ages_amid_text_are_filled_in_too() -> None:
    text = Column("Restarts", lambda _obj, now: f"3 ({human_duration(now - 1.5)} ago), {human_duration(7)}")
    assert orjson.loads(Row((text, AGE), OBJECT).at(101.75, b"null"))["cells"] == ["3 (100s ago), 7s", "101s"]


def test_no_column_makes_anything_else_of_the_time() -> None:
    """What every kind shows at two moments, by rows made before, is what its columns say at those moments."""
    began = "2030-01-01T00:00:00Z"
    terminated = {"exitCode": 1, "finishedAt": began}
    obj = {
        "metadata": {"name": "one", "creationTimestamp": began}, "firstTimestamp": began, "lastTimestamp": began,
        "eventTime": began, "deprecatedLastTimestamp": began, "deprecatedFirstTimestamp": began,
        "status": {"startTime": began, "lastScheduleTime": began, "containerStatuses": [
            {"name": "c", "restartCount": 2, "lastState": {"terminated": terminated}, "state": {"running": {}}}
        ]},
    }  # fmt: skip
    for resource in builtin():
        shown = columns(resource)
        row = Row(shown, obj)
        for now in (1893456000.0 + 61, 1893456000.0 + 86400):
            cells = orjson.loads(row.at(now, b"null"))["cells"]
            assert cells == [column.cell(obj, now) for column in shown], resource.plural


def test_a_table_has_the_lists_metadata_and_its_head_once() -> None:
    metadata = {"resourceVersion": "5", "continue": "", "remainingItemCount": 3, "name": "one"}
    rows = [b'{"cells":[]}', b'{"cells":[1]}']
    assert orjson.loads(b"".join(table([{"name": "Name"}], rows, metadata))) == {
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": "5", "remainingItemCount": 3},
        "columnDefinitions": [{"name": "Name"}], "rows": [{"cells": []}, {"cells": [1]}],
    }  # fmt: skip
    bare = orjson.loads(b"".join(table(None, (), {}, "v1beta1")))
    assert (bare["columnDefinitions"], bare["rows"]) == (None, [])
    assert partial_metadata({}, "v1beta1")["apiVersion"] == "meta.k8s.io/v1beta1"


def test_a_row_says_what_is_true_of_all_of_it() -> None:
    ended = [{"type": "Completed", "status": "True"}]
    row = orjson.loads(Row(columns(PLAIN), OBJECT, ended).at(90, b"null"))
    assert list(row) == ["cells", "conditions", "object"]
    assert row["conditions"] == ended
