import pytest
from hyperframe.frame import ContinuationFrame, DataFrame, Frame, HeadersFrame, PingFrame, RstStreamFrame, SettingsFrame

from pilothouse.net.http2_allowance import Allowance, FrameMeter
from pilothouse.net.http2_frames import FrameReader


def test_an_allowance_is_spent_refilled_and_earned() -> None:
    allowance = Allowance(3, 1.0, 0.0)
    assert [allowance.spend(1, 0.0) for _ in range(4)] == [True, True, True, False]
    assert not allowance.spend(1, 1.0)
    assert allowance.spend(1, 3.0)
    allowance.earn(100)
    assert allowance.spend(3, 3.0)
    assert not allowance.spend(1, 3.0)


def _fed(frames: bytes, size: int, now: float = 0.0) -> bool:
    meter, reader = FrameMeter(0.0), FrameReader()
    parts = (frames[start : start + size] for start in range(0, len(frames), size))
    return all(meter.accept(list(reader.feed(part)), now) for part in parts)


@pytest.mark.parametrize(
    ("frame", "allowed"),
    [
        (RstStreamFrame(1), 500),
        (PingFrame(0, opaque_data=bytes(8)), 2000),
        (SettingsFrame(0), 2000),
        (DataFrame(1, b""), 2000),
        (DataFrame(1, b"x"), 2000),
        (ContinuationFrame(1, b""), 2000),
    ],
    ids=["reset", "ping", "settings", "empty data", "tiny data", "empty continuation"],
)
@pytest.mark.parametrize("size", [7, 10_000])
def test_floods_are_told(frame: Frame, allowed: int, size: int) -> None:
    assert _fed(frame.serialize() * allowed, size)
    assert not _fed(frame.serialize() * (allowed + 1), size)


@pytest.mark.parametrize(
    "frame",
    [
        HeadersFrame(1, b"abc"),
        DataFrame(1, bytes(32)),
        DataFrame(1, b"", flags=["END_STREAM"]),
        ContinuationFrame(1, b"x"),
    ],
)
def test_traffic_is_not_counted(frame: Frame) -> None:
    assert _fed(frame.serialize() * 3000, 1000)


def test_time_and_what_is_sent_give_more() -> None:
    ping = list(FrameReader().feed(PingFrame(0, opaque_data=bytes(8)).serialize()))
    meter = FrameMeter(0.0)
    assert meter.accept(ping * 2000, 0.0)
    assert meter.accept(ping * 200, 1.0)
    meter.sent(100 * 1024)
    assert meter.accept(ping * 100, 1.0)
    assert not meter.accept(ping, 1.0)


def test_who_makes_us_reset_streams_spends_what_resets_cost() -> None:
    meter = FrameMeter(0.0)
    reset = list(FrameReader().feed(RstStreamFrame(1).serialize()))
    assert meter.accept(reset * 300, 0.0)
    assert meter.accept_resets(200, 0.0)
    assert not meter.accept(reset, 0.0)
    assert meter.accept_resets(0, 0.0), "who does nothing goes on"
