"""Messages in, as client-go writes them: what is no pointer in Go is always on the wire."""

import base64
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.api.machinery.codec.protobuf.envelope import MAGIC, decode
from pilothouse.api.machinery.codec.protobuf.reader import read
from pilothouse.api.machinery.codec.protobuf.wire import field, tag, varint
from pilothouse.api.machinery.codec.syntax import MalformedError


def number(at: int, value: int) -> bytes:
    return tag(at, 0) + varint(value)


def body(api_version: str, kind: str, raw: bytes) -> bytes:
    return MAGIC + field(1, field(1, api_version.encode()) + field(2, kind.encode())) + field(2, raw)


METADATA = (
    field(1, b"web") + field(2, b"") + number(7, 0) + field(8, b"") + field(11, field(1, b"app") + field(2, b"x"))
)


def test_a_config_map() -> None:
    raw = field(1, METADATA) + field(2, field(1, b"k") + field(2, b"v")) + field(3, field(1, b"b") + field(2, b"\xff"))
    assert decode(body("v1", "ConfigMap", raw)) == {
        "kind": "ConfigMap",
        "apiVersion": "v1",
        "metadata": {"name": "web", "labels": {"app": "x"}},
        "data": {"k": "v"},
        "binaryData": {"b": base64.b64encode(b"\xff").decode()},
    }


def test_zero_is_kept_where_it_says_something() -> None:
    found = read("apps.v1.DeploymentSpec", number(1, 0) + number(5, 0) + number(7, 0))
    assert found["replicas"] == 0
    assert not found.keys() & {"minReadySeconds", "paused"}, "they are always written"


def test_what_go_always_shows_is_there_though_nobody_sent_it() -> None:
    found = decode(body("storage.k8s.io/v1", "CSINode", field(2, field(1, field(1, b"d")))))
    assert found == {"kind": "CSINode", "apiVersion": "storage.k8s.io/v1", "metadata": {}, "status": {},
                     "spec": {"drivers": [{"name": "d", "nodeID": ""}]}}  # fmt: skip


@pytest.mark.parametrize(
    ("message", "raw", "name", "value"),
    [
        ("core.v1.ServicePort", field(4, number(1, 1) + number(2, 0) + field(3, b"web")), "targetPort", "web"),
        ("core.v1.ServicePort", field(4, number(1, 0) + number(2, -1) + field(3, b"")), "targetPort", -1),
        ("core.v1.ServicePort", field(4, b""), "targetPort", 0),
        ("coordination.v1.LeaseSpec", field(4, number(1, 1_000_000_000) + number(2, 5000)), "renewTime",
         "2001-09-09T01:46:40.000005Z"),
        ("core.v1.PodCondition", field(4, number(1, 1_000_000_000)), "lastTransitionTime", "2001-09-09T01:46:40Z"),
        ("core.v1.PodCondition", field(3, b""), "lastProbeTime", None),
        ("core.v1.ResourceQuotaSpec", field(1, field(1, b"cpu") + field(2, field(1, b"2"))), "hard", {"cpu": "2"}),
        ("core.v1.ResourceQuotaSpec", field(1, field(1, b"cpu")), "hard", {"cpu": "0"}),
        ("authentication.v1.UserInfo", field(4, field(1, b"k") + field(2, field(1, b"a") + field(1, b"b"))), "extra",
         {"k": ["a", "b"]}),
        ("apps.v1.ControllerRevision", field(2, field(1, b'{"a":[1]}')), "data", {"a": [1]}),
        ("apps.v1.ControllerRevision", field(2, b""), "data", None),
        ("resource.v1.DeviceAttribute", number(6, 1) + number(6, -1), "ints", [1, -1]),
        ("resource.v1.DeviceAttribute", field(6, varint(1) + varint(300)), "ints", [1, 300]),
        ("core.v1.Probe", number(2, 2**32 + 5), "initialDelaySeconds", 5),
        ("core.v1.PodSpec", number(11, 2), "hostNetwork", True),
        ("core.v1.Volume", field(2, field(1, field(1, b"/data"))), "hostPath", {"path": "/data"}),
        ("core.v1.ContainerState", b"\xda\x3e\x01x" + field(2, field(1, b"")), "running", {"startedAt": None}),
        ("core.v1.EnvVar", tag(9, 3) + number(1, 1) + tag(9, 4) + field(1, b"A\xff"), "name", "A\ufffd"),
    ],
)  # fmt: skip
def test_values(message: str, raw: bytes, name: str, value: object) -> None:
    assert read(message, raw)[name] == value


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"),
        (b"{}", "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"),
        (MAGIC + b"\x0a\xff", "unexpected EOF"),
        (MAGIC + b"\x0f", "proto: illegal wireType 7"),
        (MAGIC + b"\x0c", "proto: wiretype end group for non-group"),
        (MAGIC + b"\x0b", "unexpected EOF"),
        (MAGIC + b"\x02\x00", "proto: illegal tag 0 (wire type 2)"),
        (MAGIC + b"\x0a" + b"\xff" * 9 + b"\x01", "proto: negative length found during unmarshaling"),
        (MAGIC + b"\x0a" + b"\xff" * 8 + b"\x7f", "unexpected EOF"),
        (MAGIC + b"\xff" * 11, "proto: integer overflow"),
        (body("v1", "Pod", b"\x0a\x05x"), "unexpected EOF"),
        (body("v1", "Pod", number(1, 5)), "proto: wrong wireType = 0 for field Metadata"),
        (body("v1", "Pod", field(2, field(4, b"1"))),
         "proto: wrong wireType = 2 for field TerminationGracePeriodSeconds"),
        (body("apps/v1", "ControllerRevision", field(2, field(1, b"{"))),
         "unexpected end of data: line 1 column 2 (char 1)"),
        (body("v1", "Pod", field(1, field(8, number(1, 2**62)))), "Time.MarshalJSON: year outside of range [0,9999]"),
    ],
)  # fmt: skip
def test_what_is_no_message(raw: bytes, why: str) -> None:
    """Where upstream says ObjectMeta, after the Go field, we say Metadata, after the JSON one."""
    with pytest.raises(MalformedError) as error:
        decode(raw)
    assert str(error.value) == why


def test_a_kind_that_nobody_knows_is_left_to_others() -> None:
    assert decode(body("example.com/v1", "Widget", b"\xff")) == {"kind": "Widget", "apiVersion": "example.com/v1"}
    assert decode(MAGIC + field(2, field(2, b"")), api_version="v1", kind="Binding")["kind"] == "Binding"


@given(st.binary(max_size=200))
def test_nothing_crashes_it(raw: bytes) -> None:
    with suppress(MalformedError):
        decode(body("v1", "Pod", raw))


@given(st.data())
def test_no_byte_of_a_good_body_can_be_changed_to_crash_it(data: st.DataObject) -> None:
    container = field(1, b"c") + field(8, field(1, field(1, b"cpu") + field(2, field(1, b"1"))))
    good = bytearray(body("v1", "Pod", field(1, METADATA) + field(2, field(2, container) + number(4, 30))))
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(4, len(good) - 1))] = data.draw(st.integers(0, 255))
    with suppress(MalformedError):
        decode(bytes(good[: data.draw(st.integers(4, len(good)))]))
