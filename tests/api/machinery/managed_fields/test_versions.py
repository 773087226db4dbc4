"""Comparisons in several versions: each made once, when it is asked for."""

from functools import lru_cache
from typing import Any

from pilothouse.api.machinery.managed_fields import Version, record_write
from pilothouse.api.machinery.managed_fields.versions import Comparisons
from pilothouse.api.machinery.schema import Schema, Schemas


@lru_cache(maxsize=1)
def schema() -> Schema:
    return Schemas().kind("", "v1", "ConfigMap")


class Upper:
    """A version in which all keys of data are in capitals."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def find(self, api_version: str) -> Version | None:
        self.asked.append(api_version)
        return Version(schema(), self.there, self.there) if api_version == "v2" else None

    def there(self, obj: Any) -> Any:
        return {**obj, "data": {key.upper(): value for key, value in obj["data"].items()}}


def test_each_version_is_compared_once() -> None:
    upper = Upper()
    changes = Comparisons({"data": {"x": "1", "y": "1"}}, {"data": {"x": "2"}}, schema(), "v1", versions=upper.find)
    found = changes.at("v2")
    assert found is not None
    assert (found.changed, found.removed) == ({"f:data": {"f:X": {}}}, {"f:data": {"f:Y": {}}})
    assert changes.at("v2") is found
    assert changes.at("v0") is None
    assert changes.at("v1") is changes.own
    assert upper.asked == ["v2", "v0"]


def test_what_is_ignored_has_not_changed() -> None:
    ignored: Any = {"f:data": {"f:x": {}, "f:X": {}}}
    new = {"data": {"x": "2", "y": "2"}}
    changes = Comparisons({"data": {"x": "1", "y": "1"}}, new, schema(), "v1", ignored=ignored, versions=Upper().find)
    found = changes.at("v2")
    assert found is not None
    assert (changes.own.changed, found.changed) == ({"f:data": {"f:y": {}}}, {"f:data": {"f:Y": {}}})


def test_an_update_takes_fields_of_entries_in_other_versions() -> None:
    entry = {"operation": "Apply", "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {"f:X": {}, "f:Y": {}}}}
    entries = [{**entry, "manager": "a", "apiVersion": "v2"}, {**entry, "manager": "b", "apiVersion": "v0"}]
    old = {"metadata": {"managedFields": entries}, "data": {"x": "1", "y": "1"}}
    new: dict[str, Any] = {"metadata": {"managedFields": entries}, "data": {"x": "2", "y": "1"}}
    record_write(new, old, schema=schema(), manager="m", api_version="v1", now="now", versions=Upper().find)
    assert [(one["manager"], one["fieldsV1"]) for one in new["metadata"]["managedFields"]] == [
        ("a", {"f:data": {"f:Y": {}}}), ("m", {"f:data": {"f:x": {}}}),
    ]  # fmt: skip
