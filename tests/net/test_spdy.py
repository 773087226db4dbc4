import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.net.spdy import (
    DICTIONARY,
    Data,
    Frame,
    GoAway,
    Headers,
    Ping,
    RstStream,
    Settings,
    SpdyDecoder,
    SpdyEncoder,
    SpdyError,
    SynReply,
    SynStream,
    WindowUpdate,
)

ALL: list[Frame] = [
    SynStream(1, {"streamtype": "error"}),
    SynStream(3, {"streamtype": "stdin", "port": "80"}, fin=True, unidirectional=True),
    SynReply(1),
    SynReply(3, {"x": "y"}, fin=True),
    Data(1, b"hello"),
    Data(1, b"", fin=True),
    Headers(1, {"a": "b"}),
    RstStream(1, 5),
    Settings({4: 100, 7: 65536}),
    Ping(7),
    GoAway(3, 1),
    WindowUpdate(1, 4096),
]


def test_the_dictionary_is_the_protocols() -> None:
    """Its checksum is part of every compressed header block."""
    assert (len(DICTIONARY), zlib.adler32(DICTIONARY)) == (1423, 0xE3C6A7C2)


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (Data(5, b"ab", fin=True), "00000005 01000002 6162"),
        (RstStream(5, 3), "80030003 00000008 00000005 00000003"),
        (Settings({4: 100}), "80030004 0000000c 00000001 00000004 00000064"),
        (Ping(2), "80030006 00000004 00000002"),
        (GoAway(7), "80030007 00000008 00000007 00000000"),
        (WindowUpdate(5, 16), "80030009 00000008 00000005 00000010"),
    ],
)
def test_frames_look_as_the_draft_draws_them(frame: Frame, expected: str) -> None:
    assert SpdyEncoder().encode(frame) == bytes.fromhex(expected)


def test_a_stream_is_opened_as_the_draft_draws_it() -> None:
    sent = SpdyEncoder().encode(SynStream(1, {"StreamType": "error"}, fin=True))
    assert sent[:5] == bytes.fromhex("80030001 01")
    assert int.from_bytes(sent[5:8], "big") == len(sent) - 8
    assert sent[8:18] == bytes.fromhex("00000001 00000000 0000")
    plain = zlib.decompressobj(zdict=DICTIONARY).decompress(sent[18:])
    assert plain == bytes.fromhex("00000001 0000000a") + b"streamtype" + bytes.fromhex("00000005") + b"error"


@given(st.lists(st.integers(1, 40), max_size=200))
def test_frames_survive_any_cut(cuts: list[int]) -> None:
    encoder, decoder = SpdyEncoder(), SpdyDecoder()
    wire = b"".join(encoder.encode(frame) for frame in ALL)
    found: list[Frame] = []
    for cut in cuts:
        found += decoder.receive(wire[:cut])
        wire = wire[cut:]
    assert found + decoder.receive(wire) == ALL


def _raw(kind: int, payload: bytes, first: int = 0x8003) -> bytes:
    return first.to_bytes(2, "big") + kind.to_bytes(2, "big") + len(payload).to_bytes(4, "big") + payload


def _block(plain: bytes) -> bytes:
    deflate = zlib.compressobj(zdict=DICTIONARY)
    return bytes(3) + b"\1" + bytes(6) + deflate.compress(plain) + deflate.flush(zlib.Z_SYNC_FLUSH)


def _pairs(*texts: bytes, count: int | None = None) -> bytes:
    body = b"".join(len(text).to_bytes(4, "big") + text for text in texts)
    return (len(texts) // 2 if count is None else count).to_bytes(4, "big") + body


@pytest.mark.parametrize(
    "wire",
    [
        _raw(6, b"\0\0\0\1", first=0x8002),
        _raw(6, b"\0\0\1"),
        _raw(3, b"\0\0\0\0\0\0\0\1"),
        _raw(4, b"\0\0\0\2\0\0\0\1\0\0\0\1"),
        bytes(8),
        b"\x80\x03\x00\x06\x00\xff\xff\xff",
        _raw(1, bytes(3) + b"\1" + bytes(6) + b"no zlib"),
        _raw(1, _block(_pairs(b"a", b"b", b"a", b"b"))),
        _raw(1, _block(_pairs(b"", b"b"))),
        _raw(1, _block(_pairs(b"Upper", b"b"))),
        _raw(1, _block(_pairs(b"a", b"b", count=2))),
        _raw(1, _block(_pairs(b"a", bytes(1_000_000)))),
    ],
    ids=["version", "short", "stream 0", "settings", "data of 0", "long", "zlib", "twice", "empty", "upper", "count",
         "bomb"],
)  # fmt: skip
def test_what_is_not_spdy_is_refused(wire: bytes) -> None:
    with pytest.raises(SpdyError):
        SpdyDecoder().receive(wire)


def test_unknown_control_frames_are_passed_over() -> None:
    assert SpdyDecoder().receive(_raw(42, b"abc") + SpdyEncoder().encode(Ping(1))) == [Ping(1)]


def test_values_of_a_repeated_header_are_joined() -> None:
    (frame,) = SpdyDecoder().receive(_raw(1, _block(_pairs(b"a", b"b\0c"))))
    assert frame == SynStream(1, {"a": "b, c"})
