"""What one request may hold, and all together: bounded by what was sent, and by how many may be at work.

A request holds nothing of its body that nobody has asked for but what its connection has room for (`tests/net`); a
handler asks when it has a seat, and stops at three megabytes. So all bodies together are at most three megabytes a
seat. What a body is made into is held against its length here, by counting allocated bytes.
"""

import asyncio
import gzip
import tracemalloc
from collections.abc import AsyncIterator, Callable

import orjson
import pytest

from fakes.whole_api import JSON, WholeApi, schemas, served
from pilothouse.api.machinery.codec import protobuf
from pilothouse.api.machinery.codec.body import Expected, FieldValidation, read
from pilothouse.api.machinery.errors import StatusError
from pilothouse.api.machinery.patch.json import apply_json_patch
from pilothouse.apiserver.pipeline.options import BODY_LIMIT
from pilothouse.apiserver.user import User
from pilothouse.net.http import Peer, Request

MAPS = "/api/v1/namespaces/default/configmaps"
EXPECTED = Expected("", "v1", "ConfigMap")
YAML = "application/yaml"
JANE = User("jane", ("system:authenticated",))
SEATS = 600
"""Of all priority levels together, as upstream's flags set it."""


def _varint(number: int) -> bytes:
    made = bytearray()
    while number > 127:
        made.append(number & 127 | 128)
        number >>= 7
    return bytes((*made, number))


def _long(tag: int, claimed: int, there: bytes = b"") -> bytes:
    """A protobuf field that says it is so long."""
    return _varint(tag << 3 | 2) + _varint(claimed) + there


def _nested(depth: int) -> bytes:
    data = b""
    for _ in range(depth):
        data = _long(1, len(data), data)
    return data


MAGIC = b"k8s\x00"
TYPE = _long(1, 15, _long(1, 2, b"v1") + _long(2, 9, b"ConfigMap"))
NESTED = _nested(2000)
HOSTILE: dict[str, tuple[str, bytes]] = {
    "json, many lists": ("application/json", b'{"data":[' + b"[]," * 10_000 + b"[]]}"),
    "json, many objects": ("application/json", b'{"data":[' + b"{}," * 10_000 + b"{}]}"),
    "json, many fields": (
        "application/json", b'{"data":{' + b",".join(b'"%d":""' % n for n in range(5000)) + b"}}",
    ),
    "json, the same field": ("application/json", b'{"data":{' + b'"a":"",' * 5000 + b'"a":""}}'),
    "json, deep": ("application/json", b"[" * 20_000),
    "json, deep and closed": ("application/json", b'{"a":' * 5000 + b"1" + b"}" * 5000),
    "json, digits": ("application/json", b'{"a":' + b"9" * 50_000 + b"}"),
    "json, no utf-8": ("application/json", b'{"a":"' + b"\xff" * 20_000 + b'"}'),
    "json, zip": ("application/json", gzip.compress(b'{"data":{"a":"' + b"a" * 5_000_000 + b'"}}')),
    "yaml, aliases": (
        YAML,
        b"a: &a [x,x,x,x,x,x,x,x,x,x]\n"
        + b"".join(b"%c: &%c [%s]\n" % (n + 1, n + 1, b",".join([b"*%c" % n] * 10)) for n in range(97, 117)),
    ),
    "yaml, one alias often": (YAML, b"a: &a " + b"x" * 1000 + b"\ndata:\n" + b"".join(
        b"  k%d: *a\n" % n for n in range(1000))),
    "yaml, an alias within itself": (YAML, b"a: &a [*a, *a]\n" * 100),
    "yaml, deep": (YAML, b"{a: " * 5000),
    "yaml, deep by indentation": (YAML, b"\n".join(b" " * n + b"a:" for n in range(500))),
    "yaml, many anchors": (YAML, b"".join(b"k%d: &k%d x\n" % (n, n) for n in range(1000))),
    "yaml, documents": (YAML, b"---\n" * 10_000),
    "yaml, merges": (YAML, b"a: &a {" + b",".join(b"k%d: v" % n for n in range(100)) + b"}\n" + b"".join(
        b"m%d: {<<: *a}\n" % n for n in range(500))),
    "protobuf, a length of nothing": (protobuf.MEDIA_TYPE, MAGIC + TYPE + _long(2, 2**40)),
    "protobuf, a length of more than there is": (protobuf.MEDIA_TYPE, MAGIC + _long(1, 2**31, b"v1")),
    "protobuf, a length below nothing": (protobuf.MEDIA_TYPE, MAGIC + TYPE + _long(2, 2**64 - 1)),
    "protobuf, a number without end": (protobuf.MEDIA_TYPE, MAGIC + b"\x0a" + b"\xff" * 20_000),
    "protobuf, deep": (protobuf.MEDIA_TYPE, MAGIC + TYPE + _long(2, len(NESTED), NESTED)),
    "protobuf, nothing often": (protobuf.MEDIA_TYPE, MAGIC + TYPE + _long(2, 20_000, b"\x12\x00" * 10_000)),
}  # fmt: skip
WEIGHT = 110
"""Bytes that one of a body may become: what weighs most is an empty object, three letters, read twice."""

ALIASED = 40_000_000
"""What aliases may make of any body: 400,000 values, where go-yaml stops to trust them."""


def _peak(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return peak


@pytest.mark.parametrize("what", HOSTILE)
@pytest.mark.parametrize("validation", [FieldValidation.IGNORE, FieldValidation.STRICT])
def test_what_a_body_becomes_is_bounded_by_its_length(what: str, validation: FieldValidation) -> None:
    form, body = HOSTILE[what]
    schemas().kind("", "v1", "ConfigMap")

    refusals: list[StatusError] = []

    def work() -> None:
        try:
            read(body, form, EXPECTED, schemas(), validation)
        except StatusError as error:
            refusals.append(error)

    work()  # what is made once is made by now
    for refusal in refusals:
        assert refusal.code == 400
        assert len(refusal.message) < 2000 + 2 * len(body)
    refusals.clear()
    assert _peak(work) < WEIGHT * len(body) + (ALIASED if form == YAML and b"*a" in body else 200_000)


def test_copies_of_copies_are_bounded() -> None:
    doc = {"a": ["x" * 1000]}
    patch = [{"op": "copy", "from": "/a", "path": "/a/-"}] * 1000

    def work() -> None:
        with pytest.raises(StatusError):
            apply_json_patch(doc, patch)

    assert _peak(work) < 10 * BODY_LIMIT


def test_a_body_is_read_no_further_than_its_limit() -> None:
    """Whatever its length is said to be, and in the same way for all that takes one."""
    taken = 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal taken
        for _ in range(1000):
            taken += 1
            yield bytes(64 * 1024)

    async def story(api: WholeApi) -> None:
        nonlocal taken
        for method, target, form in (
            ("POST", MAPS, "application/json"),
            ("PUT", f"{MAPS}/a", YAML),
            ("PATCH", f"{MAPS}/a", "application/merge-patch+json"),
            ("PATCH", f"{MAPS}/a?fieldManager=f", "application/apply-patch+yaml"),
            ("DELETE", f"{MAPS}/a", "application/json"),
            ("DELETE", MAPS, protobuf.MEDIA_TYPE),
            ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "application/json"),
        ):
            taken = 0
            request = Request(method, target, {"content-type": form}, Peer("", None, JANE), pieces())
            answer = await api.server.handle(request)
            assert answer.status == 413, (method, target, answer.body)
            assert taken == BODY_LIMIT // (64 * 1024) + 1
            body = answer.body
            assert isinstance(body, bytes)
            assert orjson.loads(body)["reason"] == "RequestEntityTooLarge"

    served(lambda api: _with_rights(api, story))


def test_no_more_bodies_are_read_at_once_than_there_are_seats() -> None:
    """Two thousand slow uploads of one user: most wait, or are turned away, with nothing of theirs in memory."""
    reading = most = 0
    proceed = asyncio.Event()

    async def pieces(number: int) -> AsyncIterator[bytes]:
        nonlocal reading, most
        reading += 1
        most = max(most, reading)
        yield b'{"metadata":{"name":"m%d"},' % number
        await proceed.wait()
        reading -= 1
        yield b'"data":{"a":"b"}}'

    async def story(api: WholeApi) -> None:
        async with asyncio.TaskGroup() as group:
            asked = [
                group.create_task(api.server.handle(Request("POST", MAPS, JSON, Peer("", None, JANE), pieces(number))))
                for number in range(2000)
            ]
            await api.server.clock.sleep(1.0)
            assert 0 < reading <= SEATS
            proceed.set()
        assert most <= SEATS
        statuses = [task.result().status for task in asked]
        assert set(statuses) == {201, 429}, "who waits gets a turn, who cannot wait is told"

    served(lambda api: _with_rights(api, story))


async def _with_rights(api: WholeApi, story: Callable[[WholeApi], object]) -> None:
    binding = {
        "metadata": {"name": "jane"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "jane"}],
    }
    rbac = "/apis/rbac.authorization.k8s.io/v1"
    rule = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
    role = {"metadata": {"name": "cluster-admin"}, "rules": [rule]}
    assert (await api.send("POST", f"{rbac}/clusterroles", orjson.dumps(role))).status == 201
    assert (await api.send("POST", f"{rbac}/clusterrolebindings", orjson.dumps(binding))).status == 201
    await story(api)  # type: ignore[misc]
