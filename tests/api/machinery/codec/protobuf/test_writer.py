"""Messages out, and out and in again."""

from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilothouse.api.machinery.codec.protobuf import decode, encode, message
from pilothouse.api.machinery.codec.protobuf.table import Field, Presence, fields_of
from pilothouse.api.machinery.codec.protobuf.wire import entries, field


def numbers(data: bytes) -> list[int]:
    return [number for number, _, _ in entries(data)]


def test_what_is_no_pointer_is_written_though_it_is_zero() -> None:
    written = {number: value for number, _, value in entries(message("core.v1.ServicePort", {}))}
    assert written == {1: b"", 2: b"", 3: 0, 4: b"\x08\x00\x10\x00\x1a\x00", 5: 0}, "appProtocol is a pointer"
    assert numbers(message("core.v1.ServicePort", {"appProtocol": ""})) == [1, 2, 3, 4, 5, 6]
    assert numbers(message("core.v1.ConfigMap", {})) == [1]
    assert {n: v for n, _, v in entries(message("core.v1.ObjectFieldSelector", {"apiVersion": None}))}[1] == b""


def test_fields_go_by_number_and_maps_by_key() -> None:
    found = message("core.v1.ConfigMap", {"data": {"b": "2", "a": "1", "\u00e9": None}, "immutable": False})
    pairs = [value for number, _, value in entries(found) if number == 2]
    assert pairs == [field(1, k.encode()) + field(2, v) for k, v in (("a", b"1"), ("b", b"2"), ("\u00e9", b""))]
    assert numbers(found) == [1, 2, 2, 2, 4]


@pytest.mark.parametrize(
    ("time", "wanted"),
    [
        ("1970-01-01T00:00:01Z", b"\x08\x01\x10\x00"), ("1970-01-01T01:00:01+01:00", b"\x08\x01\x10\x00"),
        ("0001-01-01T00:00:00Z", b""), (None, b""),
        ("1969-12-31T23:59:59Z", b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x10\x00"),
    ],
)  # fmt: skip
def test_times(time: str | None, wanted: bytes) -> None:
    written = {number: value for number, _, value in entries(message("core.v1.PodCondition", {"lastProbeTime": time}))}
    assert written[3] == wanted


def test_a_kind_without_a_message() -> None:
    with pytest.raises(LookupError):
        encode({"kind": "Widget", "apiVersion": "example.com/v1"})


TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
TIMES = st.integers(0, 4_000_000_000).map(
    lambda at: f"{2000 + at % 60:04}-{at % 12 + 1:02}-{at % 28 + 1:02}T{at % 24:02}:{at % 60:02}:{at // 60 % 60:02}"
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "string": TEXT,
    "bool": st.booleans(),
    "int32": st.integers(-(2**31), 2**31 - 1),
    "int64": st.integers(-(2**63), 2**63 - 1),
    "double": st.floats(allow_nan=False, allow_infinity=False),
    "bytes": st.sampled_from(["", "AA==", "/w==", "aGFsbG8="]),
    "time": TIMES.map(lambda text: f"{text}Z"),
    "microTime": TIMES.map(lambda text: f"{text}.000250Z"),
    "quantity": st.sampled_from(["0", "1", "250m", "3Gi", "12e6"]),
    "intOrString": st.integers(0, 65535) | TEXT,
    "raw": st.none() | st.dictionaries(TEXT, st.integers(0, 9) | TEXT | st.none(), max_size=2),
}


@cache
def objects(name: str, depth: int = 0) -> st.SearchStrategy[dict[str, Any]]:
    """Objects that Go could have written as JSON: what it always shows is there, what it leaves out is not."""
    fields = [one for one in fields_of(name) if one.presence is not Presence.INLINE]
    always = {one.name: value_of(one, depth) for one in fields if one.presence is Presence.VALUE and one.shown}
    others = {one.name: value_of(one, depth) for one in fields if one.name not in always}
    if depth > 4:
        others = {}
    made = st.fixed_dictionaries(always, optional=others)
    for one in fields_of(name):
        if one.presence is Presence.INLINE:
            made = st.builds(lambda a, b: a | b, made, objects(one.type, depth))
    return made


def value_of(one: Field, depth: int) -> st.SearchStrategy[Any]:
    if one.type.startswith("[]"):
        value: st.SearchStrategy[Any] = st.lists(VALUES[one.type[2:]], max_size=2)
    else:
        value = VALUES[one.type] if one.type in VALUES else st.deferred(lambda: objects(one.type, depth + 1))
    if one.presence is Presence.REPEATED:
        return st.lists(value, min_size=1, max_size=2)
    if one.presence is Presence.MAP:
        return st.dictionaries(TEXT, value, min_size=1, max_size=2)
    if one.presence is Presence.VALUE and not one.shown:
        return value.filter(lambda found: found not in ("", 0, 0.0, False))
    return value.filter(lambda found: found is not None) if one.presence is Presence.POINTER else value


@pytest.mark.parametrize(
    ("api_version", "kind", "name"),
    [
        ("v1", "ConfigMap", "core.v1.ConfigMap"), ("v1", "Service", "core.v1.Service"),
        ("v1", "Event", "core.v1.Event"), ("coordination.k8s.io/v1", "Lease", "coordination.v1.Lease"),
        ("rbac.authorization.k8s.io/v1", "ClusterRole", "rbac.v1.ClusterRole"),
        ("policy/v1", "PodDisruptionBudget", "policy.v1.PodDisruptionBudget"),
        ("apps/v1", "ControllerRevision", "apps.v1.ControllerRevision"),
        ("resource.k8s.io/v1", "ResourceSlice", "resource.v1.ResourceSlice"),
        ("discovery.k8s.io/v1", "EndpointSlice", "discovery.v1.EndpointSlice"),
        ("authentication.k8s.io/v1", "TokenReview", "authentication.v1.TokenReview"),
    ],
)  # fmt: skip
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_out_and_in_again(api_version: str, kind: str, name: str, data: st.DataObject) -> None:
    obj = {"kind": kind, "apiVersion": api_version} | data.draw(objects(name))
    body = encode(obj)
    assert decode(body) == obj
    assert encode(decode(body)) == body
