"""Frames and heads as bytes."""

from collections.abc import Iterator

import hpack
import pytest

from pilothouse.net import grpc_frames as frames
from pilothouse.net.grpc_frames import GrpcCode, HeadReader, outcome
from pilothouse.net.hpack_encoder import string
from pilothouse.net.http2_frames import CONTINUATION, END_HEADERS, END_STREAM, HEADERS, PADDED, PRIORITY, FrameError


@pytest.mark.parametrize("size", [0, 1, 126, 127, 128, 254, 255, 20_000])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_head_is_read_by_others_without_a_table(size: int, scheme: str) -> None:
    more = (("hasleader", "true"), ("long", "x" * size))
    decoder = hpack.Decoder()
    decoder.header_table_size = decoder.max_allowed_table_size = 0
    block = frames.head("/a.B/C", "[::1]:2379", scheme, more) + frames.time_limit(0.0001)
    found = decoder.decode(block, raw=True)
    assert {bytes(name).decode(): bytes(value).decode() for name, value in found} == {
        ":method": "POST", ":scheme": scheme, ":path": "/a.B/C", ":authority": "[::1]:2379",
        "content-type": "application/grpc", "te": "trailers", "user-agent": "pilothouse",
        "grpc-timeout": "1m", **dict(more),
    }  # fmt: skip


@pytest.mark.parametrize(("seconds", "told"), [
    (0.0, "1m"), (0.0015, "2m"), (2.5, "2500m"), (99_999.0, "99999000m"), (100_000, "100000S"), (604_920, "604920S"),
    (99_999_999.5, "1666667M"), (2e11, "55555556H"), (float(1 << 63), "99999999H"),
])  # fmt: skip
def test_a_time_has_no_more_digits_than_servers_read(seconds: float, told: str) -> None:
    assert frames.time_limit(seconds).endswith(string(told.encode()))


def _blocks(encoder: hpack.Encoder) -> Iterator[bytes]:
    for message in ("", "", "odd", "", "odd", "even"):
        yield encoder.encode([("grpc-status", "0"), ("grpc-message", message)])


@pytest.mark.parametrize("size", [0, 4096], ids=["as agreed", "keeps a table all the same"])
def test_heads_mean_what_they_meant_when_they_came(size: int) -> None:
    encoder, reader = hpack.Encoder(), HeadReader()
    encoder.header_table_size = size
    found = []
    for block in _blocks(encoder):
        complete = reader.feed((HEADERS, END_HEADERS | END_STREAM, 7, block))
        assert complete is not None
        assert complete[:2] == (7, True)
        found.append(frames.message_of(complete[2]))
    assert found == ["", "", "odd", "", "odd", "even"]


def test_a_head_in_pieces_with_padding_and_priority() -> None:
    block = hpack.Encoder().encode([(":status", "200"), ("grpc-status", "5")])
    reader = HeadReader()
    first = b"\x03" + bytes(5) + block[:2] + b"\0\0\0"
    assert reader.feed((HEADERS, PADDED | PRIORITY, 1, first)) is None
    assert reader.halfway
    assert reader.feed((CONTINUATION, 0, 1, block[2:3])) is None
    complete = reader.feed((CONTINUATION, END_HEADERS, 1, block[3:]))
    assert complete == (1, False, {":status": "200", "grpc-status": "5"})
    assert not reader.halfway


def test_a_head_without_end_is_refused() -> None:
    reader = HeadReader()
    reader.feed((HEADERS, 0, 1, bytes(16384)))
    for _ in range(3):
        reader.feed((CONTINUATION, 0, 1, bytes(16384)))
    with pytest.raises(FrameError):
        reader.feed((CONTINUATION, 0, 1, bytes(16384)))


def test_what_an_outcome_is() -> None:
    assert outcome({"grpc-status": "0"}) is None
    error = outcome({"grpc-status": "14", "grpc-message": "etcdserver: no leader"})
    assert error is not None
    assert (error.code, error.details, error.sent) == (GrpcCode.UNAVAILABLE, "etcdserver: no leader", True)
