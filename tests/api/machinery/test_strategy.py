"""Status belongs to the status subresource. Source: PrepareFor* of pkg/registry/*/*/strategy.go."""

from typing import Any

from pilothouse.api.machinery.strategy import fresh_status, keep_status


def test_a_new_object_has_no_status_of_its_own() -> None:
    prepare = fresh_status(replicas=0)
    first: dict[str, Any] = {"status": {"replicas": 5, "x": 1}}
    second: dict[str, Any] = {}
    prepare(first)
    prepare(second)
    assert first == second == {"status": {"replicas": 0}}
    assert first["status"] is not second["status"]


def test_an_update_keeps_the_stored_status() -> None:
    obj = {"status": {"replicas": 5}}
    keep_status(obj, {"status": {"replicas": 1}})
    assert obj == {"status": {"replicas": 1}}
    keep_status(obj, {})
    assert obj == {}
