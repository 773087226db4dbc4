"""What fits a shape, and what does not."""

from typing import Any

import pytest

from pilothouse.api.machinery.shapes import EACH, amount, fits, int32, text

SHAPE = {"name": text, "count": int32, "size": amount, "labels": {EACH: text}, "items": [{"name": text}]}


@pytest.mark.parametrize(
    "value",
    [
        None, {}, {"name": None}, {"name": "a", "count": 1, "size": "1Gi"}, {"size": 5}, {"size": 0.5},
        {"labels": {"a": "b", "c": None}}, {"items": []}, {"items": [{"name": "a"}, {}]}, {"unknown": [1, {}]},
    ],
)  # fmt: skip
def test_fitting(value: Any) -> None:
    assert fits(value, SHAPE)


@pytest.mark.parametrize(
    "value",
    [
        5, "x", [], {"name": 5}, {"count": "5"}, {"count": True}, {"count": 2**31}, {"count": 1.5}, {"size": "x"},
        {"size": []}, {"size": True}, {"labels": {"a": 1}}, {"labels": []}, {"items": {}}, {"items": [5]},
        {"items": [None]}, {"items": [{"name": 1}]},
    ],
)  # fmt: skip
def test_not_fitting(value: Any) -> None:
    assert not fits(value, SHAPE)
