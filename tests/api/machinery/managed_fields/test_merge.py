"""Merging: what an applied configuration makes of an object."""

from functools import lru_cache
from typing import Any

import orjson
import pytest

from pilothouse.api.machinery.managed_fields.merge import merge
from pilothouse.api.machinery.schema import Schema, Schemas


@lru_cache(maxsize=1)
def pod() -> Schema:
    return Schemas().kind("", "v1", "Pod")


def items(names: str) -> Any:
    return {"metadata": {"finalizers": list(names)}}


@pytest.mark.parametrize(
    ("old", "new", "merged"),
    [
        ({"spec": {"a": 1}}, {"spec": {"nodeName": "n"}}, {"spec": {"a": 1, "nodeName": "n"}}),
        ({"spec": {"tolerations": [{"key": "a"}]}}, {"spec": {"tolerations": [{"key": "b"}]}},
         {"spec": {"tolerations": [{"key": "b"}]}}),
        ({"spec": {"nodeSelector": {"a": "1"}}}, {"spec": {"nodeSelector": {"b": "1"}}},
         {"spec": {"nodeSelector": {"b": "1"}}}),
        ({"spec": {"containers": [{"name": "a", "image": "i"}, {"name": "b"}]}},
         {"spec": {"containers": [{"name": "a", "tty": True}]}},
         {"spec": {"containers": [{"name": "a", "image": "i", "tty": True}, {"name": "b"}]}}),
        ({"metadata": {"labels": {"a": "1"}}}, {"metadata": {"labels": None}}, {"metadata": {"labels": {"a": "1"}}}),
        ({"metadata": {"labels": {}}}, {"metadata": {"labels": None}}, {"metadata": {"labels": None}}),
        ({"spec": {"priority": 3}}, {"spec": {"priority": None}}, {"spec": {"priority": None}}),
        ({"spec": {"containers": [{"name": "a"}]}}, {"spec": {"containers": []}},
         {"spec": {"containers": [{"name": "a"}]}}),
        ({"spec": {"containers": [{"name": "a", "ports": [{"containerPort": 80, "protocol": "TCP"}]}]}},
         {"spec": {"containers": [{"name": "a", "ports": [{"containerPort": 80, "name": "n"}]}]}},
         {"spec": {"containers": [
             {"name": "a", "ports": [{"containerPort": 80, "protocol": "TCP", "name": "n"}]}]}}),
        # of several with the same key none is merged
        ({"spec": {"containers": [{"name": "a", "image": "1"}, {"name": "a", "image": "2"}]}},
         {"spec": {"containers": [{"name": "a"}]}}, {"spec": {"containers": [{"name": "a"}]}}),
    ],
)  # fmt: skip
def test_merged(old: Any, new: Any, merged: Any) -> None:
    before = orjson.dumps([old, new])
    assert merge(pod(), old, new) == merged
    assert orjson.dumps([old, new]) == before


@pytest.mark.parametrize(
    ("old", "new", "merged"),
    [
        ("abc", "abc", "abc"), ("abc", "cba", "cba"), ("abc", "b", "abc"), ("abc", "xb", "axbc"), ("abc", "bx", "abcx"),
        ("abc", "xy", "abcxy"), ("ab", "ba", "ba"), ("bac", "abd", "acbd"), ("xaybz", "ba", "xybza"), ("", "ab", "ab"),
    ],
)  # fmt: skip
def test_the_order_of_items(old: str, new: str, merged: str) -> None:
    """*assumed* from structured-merge-diff's rule: the applied ones have their order, the others stay."""
    assert "".join(merge(pod(), items(old), items(new))["metadata"]["finalizers"]) == merged
