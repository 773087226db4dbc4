"""record_write: entries over a sequence of writes, as upstream's field manager keeps them."""

from functools import lru_cache
from typing import Any

import orjson
import pytest

from pilothouse.api.machinery.managed_fields import default_manager, record_write
from pilothouse.api.machinery.schema import Schema, Schemas

JsonObject = dict[str, Any]


@lru_cache(maxsize=1)
def schemas() -> Schemas:
    return Schemas()


def real(kind: str, group: str = "") -> Schema:
    return schemas().kind(group, "v1", kind)


def at(second: int) -> str:
    return f"2030-01-01T00:00:{second:02d}Z"


def write(new: JsonObject, old: JsonObject | None, manager: str, second: int = 0, **more: Any) -> JsonObject:
    """A write to a ConfigMap."""
    before = orjson.dumps(old)
    made = {**new, "metadata": {"uid": "1", **new.get("metadata", {})}}
    record_write(made, old, schema=real("ConfigMap"), manager=manager, api_version="v1", now=at(second), **more)
    assert orjson.dumps(old) == before
    return made


def owned(made: JsonObject) -> dict[str, Any]:
    return {entry["manager"]: entry["fieldsV1"] for entry in made["metadata"].get("managedFields", ())}


def test_the_creator_owns_everything() -> None:
    made = write({"metadata": {"name": "a", "labels": {"l": "1"}}, "data": {"x": "1"}}, None, "kubectl")
    assert made["metadata"]["managedFields"] == [
        {
            "manager": "kubectl",
            "operation": "Update",
            "apiVersion": "v1",
            "time": at(0),
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:data": {".": {}, "f:x": {}}, "f:metadata": {"f:labels": {".": {}, "f:l": {}}}},
        }
    ]


def test_who_changes_a_field_takes_it() -> None:
    first = write({"data": {"x": "1", "y": "1"}}, None, "one")
    second = write({"data": {"x": "2", "y": "1", "z": "1"}}, first, "two", 5)
    assert owned(second) == {
        "one": {"f:data": {".": {}, "f:y": {}}},
        "two": {"f:data": {"f:x": {}, "f:z": {}}},
    }
    times = {entry["manager"]: entry["time"] for entry in second["metadata"]["managedFields"]}
    assert times == {"one": at(0), "two": at(5)}


def test_what_is_gone_belongs_to_nobody() -> None:
    first = write({"data": {"x": "1", "y": "1"}}, None, "one")
    second = write({"data": {"y": "1"}}, first, "two", 5)
    assert owned(second) == {"one": {"f:data": {".": {}, "f:y": {}}}}
    assert second["metadata"]["managedFields"][0]["time"] == at(0)


def test_who_has_nothing_left_goes() -> None:
    first = write({"immutable": False}, None, "one")
    second = write({"immutable": True}, first, "two", 5)
    assert owned(second) == {"two": {"f:immutable": {}}}


def test_no_change_keeps_the_times() -> None:
    first = write({"data": {"x": "1"}}, None, "one")
    second = write({"data": {"x": "1"}, "metadata": {"resourceVersion": "9"}}, first, "two", 5)
    assert second["metadata"]["managedFields"] == first["metadata"]["managedFields"]
    assert second["metadata"]["resourceVersion"] == "9"


def test_a_manager_adds_to_its_own() -> None:
    first = write({"data": {"x": "1"}}, None, "one")
    second = write({"data": {"x": "1", "a": "1"}}, first, "one", 5)
    assert owned(second) == {"one": {"f:data": {".": {}, "f:a": {}, "f:x": {}}}}
    assert second["metadata"]["managedFields"][0]["time"] == at(5)


def test_one_entry_by_subresource_and_version() -> None:
    first = write({"data": {"x": "1"}}, None, "one")
    second = write({"data": {"x": "1", "y": "1"}}, first, "one", 1, subresource="status")
    third = {**second, "data": {"x": "1", "y": "1", "z": "1"}}
    record_write(third, second, schema=real("ConfigMap"), manager="one", api_version="v2", now=at(2))
    entries = third["metadata"]["managedFields"]
    assert [(entry["apiVersion"], entry.get("subresource")) for entry in entries] == [
        ("v1", None), ("v1", "status"), ("v2", None),
    ]  # fmt: skip
    assert list(entries[1]) == ["manager", "operation", "apiVersion", "time", "fieldsType", "fieldsV1", "subresource"]


APPLY = {"manager": "z", "operation": "Apply", "apiVersion": "v1", "time": at(9), "fieldsType": "FieldsV1",
         "fieldsV1": {"f:data": {"f:x": {}}}}  # fmt: skip


def test_the_order_of_entries() -> None:
    first = write({"data": {"x": "1"}, "metadata": {"managedFields": [APPLY]}}, None, "b", 1)
    second = write({"data": {"x": "1", "y": "1"}}, first, "a", 1)
    third = write({"data": {"x": "1", "y": "1", "z": "1"}}, second, "c", 0)
    assert [entry["manager"] for entry in third["metadata"]["managedFields"]] == ["c", "a", "b"]
    again = {**APPLY, "fieldsV1": {"f:data": {"f:w": {}}}}
    sent = {**third, "metadata": {"managedFields": [*third["metadata"]["managedFields"], again]}}
    fourth = write(sent, third, "d", 2)
    assert [entry["manager"] for entry in fourth["metadata"]["managedFields"]] == ["z", "c", "a", "b"]


def test_clients_may_set_the_entries() -> None:
    first = write({"data": {"x": "1", "y": "1"}}, None, "one")
    sent = [{**APPLY, "fieldsV1": {"f:data": {"f:y": {}, "f:x": {}}}}]
    second = write({"data": {"x": "2", "y": "1"}, "metadata": {"managedFields": sent}}, first, "two", 5)
    assert owned(second) == {"z": {"f:data": {"f:y": {}}}, "two": {"f:data": {"f:x": {}}}}


def test_not_through_a_subresource() -> None:
    first = write({"data": {"x": "1"}}, None, "one")
    second = write({"data": {"x": "1"}, "metadata": {"managedFields": []}}, first, "two", 5, subresource="status")
    assert second["metadata"]["managedFields"] == first["metadata"]["managedFields"]


@pytest.mark.parametrize("reset", [[], [{}]])
def test_resets(reset: list[Any]) -> None:
    first = write({"data": {"x": "1"}}, None, "one")
    second = write({"data": {"x": "1"}, "metadata": {"managedFields": reset}}, first, "two", 5)
    assert "managedFields" not in second["metadata"]
    third = write({"data": {"x": "2"}}, second, "two", 6)
    assert "managedFields" not in third["metadata"]  # untracked until somebody applies


@pytest.mark.parametrize(
    "bad",
    [
        {**APPLY, "operation": "Take"},
        {**APPLY, "apiVersion": ""},
        {**APPLY, "fieldsType": "FieldsV2"},
        {**APPLY, "fieldsV1": {"k:nothing": {}}},
        {**APPLY, "fieldsV1": []},
    ],
)
def test_what_cannot_be_read_counts_as_not_sent(bad: JsonObject) -> None:
    first = write({"data": {"x": "1"}}, None, "one")
    bad = {**bad, "fieldsV1": bad["fieldsV1"] or "nothing"}
    second = write({"data": {"x": "1"}, "metadata": {"managedFields": [bad]}}, first, "two", 5)
    assert second["metadata"]["managedFields"] == first["metadata"]["managedFields"]


def test_no_more_than_ten_updaters() -> None:
    made = write({"data": {"k0": "1"}}, None, "m0", 0)
    for number in range(1, 13):
        data = {**made["data"], f"k{number}": "1"}
        made = write({"data": data}, made, f"m{number}", number)
    entries = made["metadata"]["managedFields"]
    assert [entry["manager"] for entry in entries] == ["ancient-changes", *(f"m{n}" for n in range(4, 13))]
    assert entries[0]["time"] == at(3)
    assert entries[0]["fieldsV1"] == {"f:data": {".": {}, "f:k0": {}, "f:k1": {}, "f:k2": {}, "f:k3": {}}}


def test_older_changes_join_the_ancient_ones_wherever_those_stand() -> None:
    names = ["m0", "m1", "ancient-changes", *(f"m{number}" for number in range(3, 11))]
    sent = [
        {**APPLY, "operation": "Update", "manager": name, "time": at(n), "fieldsV1": {"f:data": {f"f:k{n}": {}}}}
        for n, name in enumerate(names)
    ]
    data = {f"k{n}": "1" for n in range(len(names))}
    made = write({"data": data, "metadata": {"managedFields": sent}}, None, "m10", 11)
    made = write({"data": {**data, "new": "1"}, "metadata": {"managedFields": sent}}, {**made, "data": data}, "m10", 11)
    managers = [entry["manager"] for entry in made["metadata"]["managedFields"]]
    assert managers == ["ancient-changes", *(f"m{number}" for number in range(3, 11))]
    ancient = made["metadata"]["managedFields"][0]
    assert ancient["fieldsV1"] == {"f:data": {"f:k0": {}, "f:k1": {}, "f:k2": {}}}
    assert ancient["time"] == at(1)


def test_ignored_fields() -> None:
    pod = {"metadata": {"name": "a"}, "spec": {"nodeName": "n"}, "status": {"phase": "Pending"}}
    record_write(pod, None, schema=real("Pod"), manager="m", api_version="v1", now=at(0), ignored={"f:status": {}})
    assert owned(pod) == {"m": {"f:spec": {"f:nodeName": {}}}}


def test_nothing_owned_nothing_shown() -> None:
    made = write({"metadata": {"name": "a"}}, None, "one")
    assert "managedFields" not in made["metadata"]


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("kubectl/v1.30.0 (linux/amd64) kubernetes/abc", "kubectl"),
        ("curl", "curl"),
        ("", ""),
        ("a\tb\x00c/1", "abc"),
        ("x" * 200, "x" * 128),
        ("é" * 100, "é" * 64),
    ],
)
def test_default_manager(agent: str, name: str) -> None:
    assert default_manager(agent) == name
