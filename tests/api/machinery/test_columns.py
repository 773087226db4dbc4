"""Texts of the server-side table. Sources: apimachinery/pkg/util/duration/duration_test.go, printers.go."""

import pytest

from pilothouse.api.machinery.columns import (
    AGE,
    access_modes,
    containers,
    count,
    field_text,
    human_duration,
    labels_text,
    selector_text,
    show,
    show_bool,
    show_labels,
    show_selector,
    show_text,
    some,
)

MINUTE, HOUR, DAY = 60, 3600, 86400
YEAR = 365 * DAY


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-2, "<invalid>"),
        (-1, "0s"),
        (-0.5, "0s"),
        (0, "0s"),
        (1.9, "1s"),
        (70, "70s"),
        (119, "119s"),
        (2 * MINUTE, "2m"),
        (3 * MINUTE + 7, "3m7s"),
        (9 * MINUTE + 59, "9m59s"),
        (10 * MINUTE, "10m"),
        (10 * MINUTE + 59, "10m"),
        (3 * HOUR - 1, "179m"),
        (3 * HOUR, "3h"),
        (3 * HOUR + MINUTE, "3h1m"),
        (8 * HOUR - 1, "7h59m"),
        (8 * HOUR + 59 * MINUTE, "8h"),
        (2 * DAY - 1, "47h"),
        (2 * DAY, "2d"),
        (2 * DAY + HOUR, "2d1h"),
        (8 * DAY - 1, "7d23h"),
        (8 * DAY + 23 * HOUR, "8d"),
        (2 * YEAR - 1, "729d"),
        (2 * YEAR, "2y"),
        (2 * YEAR + DAY, "2y1d"),
        (8 * YEAR - 1, "7y364d"),
        (8 * YEAR + 300 * DAY, "8y"),
    ],
)
def test_human_duration(seconds: float, text: str) -> None:
    assert human_duration(seconds) == text


def test_age() -> None:
    assert AGE.cell({"metadata": {"creationTimestamp": "1970-01-01T00:00:10Z"}}, 75.0) == "65s"
    assert AGE.cell({"metadata": {}}, 75.0) == "<unknown>"
    assert AGE.cell({}, 75.0) == "<unknown>"


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        (None, ""),
        ({}, ""),
        ({"matchLabels": {"b": "2", "a": "1"}}, "a=1,b=2"),
        ({"matchExpressions": [{"key": "k", "operator": "In", "values": ["y", "x"]}]}, "k in (x,y)"),
        ({"matchExpressions": [{"key": "k", "operator": "NotIn", "values": ["x"]}]}, "k notin (x)"),
        ({"matchExpressions": [{"key": "z", "operator": "Exists"}, {"key": "a", "operator": "DoesNotExist"}]}, "!a,z"),
        ({"matchLabels": {"m": "1"}, "matchExpressions": [{"key": "a", "operator": "Exists"}]}, "a,m=1"),
        ({"matchExpressions": [{"key": "k", "operator": "Near"}]}, "<error>"),
    ],
)
def test_selector_text(selector: dict[str, object] | None, text: str) -> None:
    assert selector_text(selector) == text


def test_fields() -> None:
    obj = {
        "spec": {"name": "x", "none": None, "yes": True, "no": False, "items": [1, 2], "labels": {"b": "", "a": "1"}}
    }
    assert show("spec", "name")(obj, 0) == "x"
    assert show("spec", "none", absent=7)(obj, 0) == 7
    assert show("spec", "name", "deeper")(obj, 0) == ""
    assert show_text("spec", "none", absent="<none>")(obj, 0) == "<none>"
    assert [show_bool("spec", name)(obj, 0) for name in ("yes", "no", "none")] == ["True", "False", "<unset>"]
    assert (count("spec", "items")(obj, 0), count("spec", "none")(obj, 0)) == (2, 0)
    assert show_labels("spec", "labels")(obj, 0) == "a=1,b="
    assert show_selector("spec", "none")(obj, 0) == "<none>"
    assert [field_text("spec", name)(obj) for name in ("yes", "no", "none", "name")] == ["true", "false", "", "x"]
    assert labels_text(None) == "<none>"


def test_containers() -> None:
    names, images = containers("spec")
    obj = {"spec": {"containers": [{"name": "a", "image": "i:1"}, {"name": "b"}]}}
    assert (names.cell(obj, 0), images.cell(obj, 0)) == ("a,b", "i:1,")
    assert (names.priority, images.priority) == (1, 1)


def test_some() -> None:
    assert some([], 3, "<unset>") == "<unset>"
    assert some(["a", "b", "c"], 3, "<unset>") == "a,b,c"
    assert some(["a", "b", "c", "d", "e"], 3, "<unset>") == "a,b,c + 2 more..."


def test_access_modes() -> None:
    assert access_modes(["ReadWriteMany", "ReadWriteOnce"]) == "RWO,RWX"
    assert access_modes(None) == ""
