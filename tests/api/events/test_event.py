"""Event of events.k8s.io/v1. Sources: pkg/apis/events/v1/conversion.go, core/validation/events_test.go."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import golden
from pilothouse.api.events.event import RESOURCE
from pilothouse.api.machinery.field import FieldErrors

GOOD: dict[str, Any] = {
    "apiVersion": "events.k8s.io/v1",
    "kind": "Event",
    "metadata": {"name": "e", "namespace": "shop"},
    "regarding": {"namespace": "shop", "kind": "Pod", "name": "web"},
    "eventTime": "2024-01-01T00:00:00.000000Z",
    "reportingController": "kubelet",
    "reportingInstance": "node-1",
    "action": "Killing",
    "reason": "Unhealthy",
    "type": "Normal",
    "note": "text",
    "series": {"count": 2, "lastObservedTime": "2024-01-01T00:00:00.000000Z"},
}


def test_conversion_loses_nothing() -> None:
    whole = {
        **GOOD,
        "related": {"name": "r"},
        "deprecatedSource": {"component": "c"},
        "deprecatedCount": 3,
        "deprecatedFirstTimestamp": "2024-01-01T00:00:00Z",
        "deprecatedLastTimestamp": "2024-01-01T00:00:00Z",
    }
    stored = RESOURCE.to_storage(whole)
    assert stored["apiVersion"] == "v1"
    assert (stored["message"], stored["involvedObject"]["name"], stored["count"]) == ("text", "web", 3)
    assert stored["reportingComponent"] == "kubelet"
    assert RESOURCE.from_storage(stored) == whole
    assert RESOURCE.stored_as == ("", "v1")


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({}, []),
        ({"eventTime": None}, ["eventTime: Required value"]),
        ({"type": "Info"}, ['type: Invalid value: "": has invalid value: Info']),
        ({"deprecatedCount": 1}, ['count: Invalid value: "": needs to be unset']),
        ({"deprecatedSource": {"host": "h"}}, ['source: Invalid value: "": needs to be unset']),
        ({"deprecatedFirstTimestamp": "x"}, ['firstTimestamp: Invalid value: "": needs to be unset']),
        (
            {"series": {"count": 1}},
            ['series.count: Invalid value: "": should be at least 2', "series.lastObservedTime: Required value"],
        ),
    ],
)
def test_create(change: dict[str, Any], wrong: list[str]) -> None:
    errors = FieldErrors()
    RESOURCE.validate({**GOOD, **change}, errors)
    RESOURCE.validate_create({**GOOD, **change}, errors)
    assert [str(error) for error in errors] == wrong


def test_both_versions_share_rules() -> None:
    errors = FieldErrors()
    RESOURCE.validate({**GOOD, "reportingInstance": ""}, errors)
    assert [str(error) for error in errors] == ["reportingInstance: Required value"]


def test_only_the_series_changes() -> None:
    errors = FieldErrors()
    RESOURCE.validate_update({**GOOD, "series": {**GOOD["series"], "count": 9}}, GOOD, errors)
    assert errors == []
    RESOURCE.validate_update({**GOOD, "note": "other", "reportingController": "x"}, GOOD, errors)
    assert [str(error) for error in errors] == [
        'message: Invalid value: "other": field is immutable',
        'reportingController: Invalid value: "x": field is immutable',
    ]


def test_columns_and_fields_read_this_version() -> None:
    row = {column.name: column.cell(GOOD, 0) for column in RESOURCE.columns}
    assert (row["Object"], row["Message"]) == ("pod/web", "text")
    assert RESOURCE.selectable_fields["regarding.name"](GOOD) == "web"
    assert RESOURCE.selectable_fields["reportingController"](GOOD) == "kubelet"


def test_nobody_reporting_is_left_out_here_and_not_there() -> None:
    stored = {"reportingComponent": "", "reportingInstance": "", "message": "", "eventTime": None}
    assert RESOURCE.from_storage(stored) == {"apiVersion": "events.k8s.io/v1", "note": "", "eventTime": None}


@pytest.mark.parametrize("stem", ["events.k8s.io.v1.Event", "core.v1.Event"])
def test_upstreams_objects_come_back(stem: str) -> None:
    """Every field of theirs is set."""
    sent = orjson.loads(golden.path_of(stem, "json").read_bytes())
    there, back = RESOURCE.to_storage, RESOURCE.from_storage
    if stem.startswith("core"):
        there, back = back, there
    assert back(there(sent)) == sent


_OPTIONAL: dict[str, Any] = {
    "note": st.sampled_from(["", "text"]), "reason": st.just("R"), "type": st.just("Normal"), "action": st.just("A"),
    "regarding": st.just({"kind": "Pod", "name": "p"}), "related": st.just({"kind": "Pod", "name": "q"}),
    "series": st.just({"count": 2, "lastObservedTime": "2024-01-01T00:00:00.000000Z"}),
    "reportingController": st.just("c"), "reportingInstance": st.just("i"),
    "eventTime": st.sampled_from([None, "2024-01-01T00:00:00.000000Z"]),
    "deprecatedSource": st.just({"component": "c", "host": "h"}), "deprecatedCount": st.integers(0, 3),
    "deprecatedFirstTimestamp": st.just("2024-01-01T00:00:00Z"),
    "deprecatedLastTimestamp": st.just("2024-01-01T00:00:00Z"),
}  # fmt: skip


@given(st.fixed_dictionaries({"apiVersion": st.just("events.k8s.io/v1"), "kind": st.just("Event")}, optional=_OPTIONAL))
def test_whatever_is_set_comes_back(event: dict[str, Any]) -> None:
    before = orjson.dumps(event)
    assert RESOURCE.from_storage(RESOURCE.to_storage(event)) == event
    assert orjson.dumps(event) == before
