"""Frames as bytes."""

import pytest
from hyperframe.frame import GoAwayFrame, RstStreamFrame, SettingsFrame

from pilothouse.net import http2_frames as frames
from pilothouse.net.http2_frames import FrameError, FrameReader, HeadPieces, Reason, frame


def test_frames_come_in_pieces() -> None:
    whole = [(0, 1, 5, b"abc"), (8, 0, 0, b""), (0, 0, 0x7FFFFFFF, bytes(16384))]
    data = b"".join(frame(*each) for each in whole)
    for cut in (1, 8, 9, 10, 5000, len(data)):
        reader = FrameReader()
        pieces = (data[start : start + cut] for start in range(0, len(data), cut))
        assert [each for piece in pieces for each in reader.feed(piece)] == whole


def test_padding() -> None:
    assert frames.unpadded(frames.PADDED, b"\x02abc\0\0") == b"abc"
    assert frames.unpadded(frames.PADDED, b"\x00abc") == b"abc"
    assert frames.unpadded(0, b"\x02abc") == b"\x02abc"
    for bad in (b"", b"\x01", b"\x04abc"):
        with pytest.raises(FrameError):
            frames.unpadded(frames.PADDED, bad)


def test_a_frame_that_is_too_large() -> None:
    with pytest.raises(FrameError) as refused:
        list(FrameReader().feed(frame(0, 0, 1, bytes(16385))))
    assert refused.value.reason == Reason.FRAME_SIZE_ERROR


def test_they_are_as_others_make_them() -> None:
    assert frames.settings({3: 250, 4: 1}) == SettingsFrame(0, settings={3: 250, 4: 1}).serialize()
    assert frames.numbered(frames.RST_STREAM, 5, Reason.CANCEL) == RstStreamFrame(5, error_code=8).serialize()
    assert frames.farewell(7, 11) == GoAwayFrame(0, last_stream_id=7, error_code=11).serialize()


@pytest.mark.parametrize("payload", [b"", b"abc"])
def test_numbers_of_a_wrong_size(payload: bytes) -> None:
    with pytest.raises(FrameError):
        frames.read_number(payload)
    assert frames.read_number(b"\xff\xff\xff\xff") == 2**31 - 1


def test_a_head_in_pieces() -> None:
    pieces = HeadPieces(100, 4)
    assert pieces.feed((frames.HEADERS, frames.END_STREAM, 3, b"a")) is None
    assert pieces.halfway
    assert pieces.feed((frames.CONTINUATION, 0, 3, b"b")) is None
    end = (frames.CONTINUATION, frames.END_HEADERS, 3, b"c")
    assert pieces.feed(end) == (3, frames.END_STREAM, b"abc")
    assert not pieces.halfway


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        ((frames.CONTINUATION, 0, 5, b"b"), Reason.PROTOCOL_ERROR),
        ((frames.HEADERS, frames.END_HEADERS, 3, b"b"), Reason.PROTOCOL_ERROR),
        ((frames.DATA, 0, 3, b"b"), Reason.PROTOCOL_ERROR),
        ((frames.CONTINUATION, 0, 3, bytes(100)), Reason.ENHANCE_YOUR_CALM),
    ],
)
def test_what_may_not_follow_the_first_piece(second: frames.Frame, reason: Reason) -> None:
    pieces = HeadPieces(100, 4)
    pieces.feed((frames.HEADERS, 0, 3, b"a"))
    with pytest.raises(FrameError) as refused:
        pieces.feed(second)
    assert refused.value.reason == reason


def test_too_many_pieces() -> None:
    pieces = HeadPieces(100, 4)
    pieces.feed((frames.HEADERS, 0, 3, b""))
    for _ in range(3):
        pieces.feed((frames.CONTINUATION, 0, 3, b""))
    with pytest.raises(FrameError):
        pieces.feed((frames.CONTINUATION, 0, 3, b""))


@pytest.mark.parametrize("first", [(frames.CONTINUATION, 4, 3, b""), (frames.HEADERS, frames.PRIORITY | 4, 3, b"abcd")])
def test_a_first_piece_that_is_none(first: frames.Frame) -> None:
    with pytest.raises(FrameError):
        HeadPieces(100, 4).feed(first)
