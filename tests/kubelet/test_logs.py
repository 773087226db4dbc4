"""Log lines in the format of the runtime, and what of them is sent."""

import pytest

from pilothouse.kubelet.logs import Renderer, Selection, parse_line
from pilothouse.runtime.clock import parse_time

A = b"2026-01-01T00:00:01.5Z stdout F one\n"
B = b"2026-01-01T00:00:02.123456789Z stderr F two\n"
C = b"2026-01-01T00:00:03Z stdout P thr\n"
D = b"2026-01-01T00:00:04Z stdout F ee\n"
ALL = [A, B, C, D]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (A, b"one\n"),
        (C, b"thr"),
        (b"2026-01-01T00:00:01Z stdout F:X tagged\n", b"tagged\n"),
        (b"2026-01-01T00:00:01Z stdout P:X tagged\n", b"tagged"),
        (b"2026-01-01T00:00:01Z stdout F a  b \r\n", b"a  b \r\n"),
        (b"2026-01-01T00:00:01Z stdout F \n", b"\n"),
        (b"2026-01-01T00:00:01Z stdout F cut of", b"cut of"),
        (b"2026-01-01T00:00:01Z stdout F\n", b"\n"),
        (b"2026-01-01T00:00:01Z stdin F x\n", None),
        (b"not a log line\n", None),
        (b"\n", None),
    ],
)
def test_a_line_is_read(raw: bytes, text: bytes | None) -> None:
    line = parse_line(raw)
    assert (line.text if line else None) == text


@pytest.mark.parametrize(
    ("time", "stamp"),
    [
        (b"2026-01-01T00:00:01.5Z", b"2026-01-01T00:00:01.500000000Z"),
        (b"2026-01-01T00:00:01Z", b"2026-01-01T00:00:01.000000000Z"),
        (b"2026-01-01T00:00:01.123456789+02:00", b"2026-01-01T00:00:01.123456789+02:00"),
        (b"2026-01-01T00:00:01+02:00", b"2026-01-01T00:00:01.000000000+02:00"),
    ],
)
def test_stamps_have_nine_digits(time: bytes, stamp: bytes) -> None:
    line = parse_line(time + b" stdout F x\n")
    assert line is not None
    assert line.stamp == stamp


@pytest.mark.parametrize(
    ("wanted", "sent"),
    [
        (Selection(), b"one\ntwo\nthree\n"),
        (Selection(stream="stderr"), b"two\n"),
        (Selection(stream="stdout"), b"one\nthree\n"),
        (Selection(since=parse_time("2026-01-01T00:00:02Z")), b"two\nthree\n"),
        (Selection(since=parse_time("2026-01-01T00:00:02.2Z")), b"three\n"),
        (Selection(limit_bytes=6), b"one\ntw"),
        (
            Selection(timestamps=True),
            (
                b"2026-01-01T00:00:01.500000000Z one\n2026-01-01T00:00:02.123456789Z two\n"
                b"2026-01-01T00:00:03.000000000Z three\n"
            ),
        ),
    ],
)
def test_what_is_wanted_is_sent(wanted: Selection, sent: bytes) -> None:
    renderer = Renderer(wanted)
    assert renderer.render(ALL[:2]) + renderer.render(ALL[2:]) == sent
    assert renderer.full is (wanted.limit_bytes is not None)


def test_broken_lines_and_times_are_left_out() -> None:
    wanted = Selection(since=parse_time("2026-01-01T00:00:00Z"))
    assert Renderer(wanted).render([b"garbage\n", b"yesterday stdout F x\n", A]) == b"one\n"
