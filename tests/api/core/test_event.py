"""Event. Sources: pkg/apis/core/validation/events_test.go, TestPrintEvent* in pkg/printers/internalversion."""

from typing import Any

import pytest

from pilothouse.api.core.event import RESOURCE
from pilothouse.api.machinery.field import FieldErrors

NEW: dict[str, Any] = {
    "metadata": {"namespace": "shop"},
    "involvedObject": {"namespace": "shop", "kind": "Pod", "name": "web"},
    "eventTime": "2024-01-01T00:00:00.000000Z",
    "reportingComponent": "kubelet",
    "reportingInstance": "node-1",
    "action": "Killing",
    "reason": "Unhealthy",
}


def _errors(obj: dict[str, Any]) -> list[str]:
    errors = FieldErrors()
    RESOURCE.validate(obj, errors)
    return [str(error) for error in errors]


@pytest.mark.parametrize(
    ("namespace", "involved", "event_time", "good"),
    [
        ("shop", "shop", False, True),
        ("shop", "other", False, False),
        ("default", "", False, True),
        ("kube-system", "", False, False),
        ("shop", "", False, False),
        ("kube-system", "", True, True),
        ("default", "", True, True),
        ("shop", "", True, False),
        ("shop", "other", True, True),
    ],
)
def test_namespaces(namespace: str, involved: str, event_time: bool, good: bool) -> None:
    obj = {**NEW, "metadata": {"namespace": namespace}, "involvedObject": {"namespace": involved}}
    if not event_time:
        obj["eventTime"] = None
    wrong = f'involvedObject.namespace: Invalid value: "{involved}": does not match event.namespace'
    assert _errors(obj) == ([] if good else [wrong])


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({}, []),
        ({"reportingInstance": ""}, ["reportingInstance: Required value"]),
        ({"action": "a" * 129}, ['action: Invalid value: "": can have at most 128 characters']),
        ({"reason": None}, ["reason: Required value"]),
        ({"message": "m" * 1025}, ['message: Invalid value: "": can have at most 1024 characters']),
    ],
)
def test_new_form(change: dict[str, Any], wrong: list[str]) -> None:
    assert _errors({**NEW, **change}) == wrong


def test_controller_is_required() -> None:
    assert "reportingController: Required value" in _errors({**NEW, "reportingComponent": ""})


def test_the_old_form_is_not_looked_at() -> None:
    assert _errors({**NEW, "eventTime": None, "reason": "", "reportingComponent": ""}) == []


def _row(obj: dict[str, Any]) -> dict[str, Any]:
    return {column.name: column.cell(obj, 100.0) for column in RESOURCE.columns}


def test_columns() -> None:
    obj = {
        "metadata": {"name": "web.1"},
        "involvedObject": {"kind": "Pod", "name": "web", "fieldPath": "spec.containers{app}"},
        "source": {"component": "kubelet", "host": "node-1"},
        "firstTimestamp": "1970-01-01T00:00:10Z",
        "lastTimestamp": "1970-01-01T00:01:00Z",
        "count": 3,
        "type": "Warning",
        "reason": "BackOff",
        "message": " again \n",
    }
    assert _row(obj) == {
        "Last Seen": "40s",
        "Type": "Warning",
        "Reason": "BackOff",
        "Object": "pod/web",
        "Subobject": "spec.containers{app}",
        "Source": "kubelet, node-1",
        "Message": "again",
        "First Seen": "90s",
        "Count": 3,
        "Name": "web.1",
    }


def test_columns_of_the_new_form() -> None:
    obj = {
        "involvedObject": {"kind": "Node"},
        "eventTime": "1970-01-01T00:00:20.000000Z",
        "reportingComponent": "scheduler",
        "series": {"count": 7, "lastObservedTime": "1970-01-01T00:01:30.000000Z"},
    }
    row = _row(obj)
    assert (row["Last Seen"], row["First Seen"], row["Count"]) == ("10s", "80s", 7)
    assert (row["Object"], row["Source"]) == ("node", "scheduler")
    del obj["series"]
    assert (_row(obj)["Last Seen"], _row(obj)["Count"]) == ("80s", 1)
    assert _row({})["Last Seen"] == "<unknown>"


def test_fields() -> None:
    obj = {"source": {}, "reportingComponent": "kubelet", "involvedObject": {"uid": "u"}}
    assert RESOURCE.selectable_fields["source"](obj) == "kubelet"
    assert RESOURCE.selectable_fields["involvedObject.uid"](obj) == "u"


@pytest.mark.parametrize(("name", "good"), [("web.17a", True), ("Web_1", True), ("a/b", False)])
def test_names_fit_into_a_path(name: str, good: bool) -> None:
    assert (not RESOURCE.validate_name(name)) is good
