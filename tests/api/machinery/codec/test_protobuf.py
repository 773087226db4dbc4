import base64
from contextlib import suppress
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.api.machinery.codec.protobuf import decode
from pilothouse.api.machinery.codec.syntax import MalformedError
from pilothouse.api.machinery.schema import Schemas

MAGIC = b"k8s\x00"


@cache
def schemas() -> Schemas:
    return Schemas()


def _field(number: int, value: bytes | int) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])


def _body(api_version: str, kind: str, raw: bytes) -> bytes:
    return MAGIC + _field(1, _field(1, api_version.encode()) + _field(2, kind.encode())) + _field(2, raw)


METADATA = (
    _field(1, b"web") + _field(2, b"") + _field(7, 0) + _field(8, b"") + _field(11, _field(1, b"app") + _field(2, b"x"))
)


def test_a_config_map() -> None:
    raw = (
        _field(1, METADATA)
        + _field(2, _field(1, b"k") + _field(2, b"v"))
        + _field(3, _field(1, b"b") + _field(2, b"\xff"))
    )
    assert decode(_body("v1", "ConfigMap", raw), schemas()) == {
        "kind": "ConfigMap",
        "apiVersion": "v1",
        "metadata": {"name": "web", "labels": {"app": "x"}},
        "data": {"k": "v"},
        "binaryData": {"b": base64.b64encode(b"\xff").decode()},
    }


def test_zero_is_kept_where_it_says_something() -> None:
    spec = _field(1, 0) + _field(5, 0) + _field(7, 0)
    found = decode(_body("apps/v1", "Deployment", _field(2, spec)), schemas())
    assert found["spec"] == {"replicas": 0}, "minReadySeconds and paused are always written"


def test_int_or_string_and_times() -> None:
    port = _field(1, b"http") + _field(3, 80) + _field(4, _field(1, 1) + _field(2, 0) + _field(3, b"web"))
    found = decode(_body("v1", "Service", _field(2, _field(1, port))), schemas())
    assert found["spec"]["ports"] == [{"name": "http", "port": 80, "targetPort": "web"}]
    renewed = _field(4, _field(1, 1_000_000_000) + _field(2, 5000))
    lease = decode(_body("coordination.k8s.io/v1", "Lease", _field(2, renewed)), schemas())
    assert list(lease["spec"].values()) == ["2001-09-09T01:46:40.000005Z"]


def test_a_struct_that_go_embeds() -> None:
    source = _field(2, _field(1, _field(1, b"/data")))
    volume = _field(1, b"v") + source
    pod = _field(2, _field(1, volume))
    found = decode(_body("v1", "Pod", pod), schemas())
    assert found["spec"]["volumes"] == [{"name": "v", "hostPath": {"path": "/data"}}]


@pytest.mark.parametrize("body", [b"", b"{}", MAGIC + b"\x0a\xff", MAGIC + b"\x0f", _body("v1", "Pod", b"\x0a\x05x")])
def test_what_is_no_message(body: bytes) -> None:
    with pytest.raises(MalformedError):
        decode(body, schemas())


@given(st.binary(max_size=200))
def test_nothing_crashes_it(raw: bytes) -> None:
    with suppress(MalformedError):
        decode(_body("v1", "Pod", raw), schemas())
