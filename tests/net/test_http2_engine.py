"""What frames mean and which may come; whole connections are in test_http2_connection.py, odd ones in _bad_input."""

from collections.abc import Callable
from typing import Any

import pytest
from h2.connection import H2Connection
from hpack import Encoder
from hyperframe.frame import (
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    PushPromiseFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from pilothouse.net.door import Limits
from pilothouse.net.hpack_decoder import Field
from pilothouse.net.http2_engine import Engine
from pilothouse.net.http2_frames import PREFACE, FrameError, Reason
from pilothouse.net.http2_sending import STREAMS, Flow

HEAD = [(":method", "POST"), (":scheme", "https"), (":authority", "x"), (":path", "/a")]
GREETING = PREFACE + SettingsFrame(0).serialize()


class Told:
    """What a listener was told."""

    def __init__(self) -> None:
        self.log: list[tuple[object, ...]] = []
        self.flows: dict[int, Flow] = {}
        self.expected: int | None = None

    def opened(self, flow: Flow, fields: list[Field]) -> None:
        flow.expected = self.expected
        self.flows[flow.number] = flow
        self.log.append(("opened", flow.number, fields[-1][1]))

    def arrived(self, flow: Flow, data: bytes, padding: int) -> None:
        self.log.append(("arrived", flow.number, data, padding))

    def finished(self, flow: Flow) -> None:
        self.log.append(("finished", flow.number))

    def broken(self, flow: Flow) -> None:
        self.log.append(("broken", flow.number))

    def given_room(self, flow: Flow | None) -> None:
        self.log.append(("room", flow and flow.number))

    def left(self) -> None:
        self.log.append(("left",))


class Talk:
    """An engine that was greeted."""

    def __init__(self) -> None:
        self.told = Told()
        self.engine = Engine(Limits(header_bytes=5000), self.told)
        self.encoder = Encoder()
        self.say(GREETING)
        self.told.log.clear()
        self.engine.made.clear()

    def say(self, *said: Frame | bytes) -> None:
        data = b"".join(each if isinstance(each, bytes) else each.serialize() for each in said)
        self.engine.receive(self.engine.cut(data))

    def head(self, number: int, *flags: str) -> HeadersFrame:
        return HeadersFrame(number, self.encoder.encode(HEAD), flags=["END_HEADERS", *flags])

    def made(self) -> list[Any]:
        """What was said since it was asked last."""
        data, found = b"".join(self.engine.made), list[Any]()
        self.engine.made.clear()
        while data:
            frame, length = Frame.parse_frame_header(memoryview(data[:9]))
            frame.parse_body(memoryview(data[9 : 9 + length]))
            found.append(frame)
            data = data[9 + length :]
        return found


def test_what_it_says_first() -> None:
    client = H2Connection()
    client.initiate_connection()
    client.receive_data(b"".join(Engine(Limits(header_bytes=5000), Told()).made))
    settings = client.remote_settings
    assert (settings.max_concurrent_streams, settings.max_header_list_size) == (STREAMS, 5000)
    assert client.outbound_flow_control_window == 16 * 1024 * 1024


def test_a_request_with_a_body() -> None:
    talk = Talk()
    trailers = HeadersFrame(1, talk.encoder.encode([("a", "b")]), flags=["END_HEADERS", "END_STREAM"])
    opening = talk.head(1)
    talk.say(opening, DataFrame(1, b"abc", pad_length=2, flags=["PADDED"]), DataFrame(1, b""))
    assert talk.told.log == [("opened", 1, b"/a"), ("arrived", 1, b"abc", 3), ("arrived", 1, b"", 0)]
    talk.say(trailers)
    assert talk.told.log[3:] == [("finished", 1)]
    flow = talk.told.flows[1]
    talk.engine.send_head(flow, b"\x88", end=True)
    assert talk.engine.flows == {}


def test_what_concerns_the_connection() -> None:
    talk = Talk()
    talk.say(PingFrame(0, b"12345678"), PingFrame(0, b"x" * 8, flags=["ACK"]), SettingsFrame(0, settings={4: 7}),
             GoAwayFrame(0, error_code=2), WindowUpdateFrame(0, window_increment=5), PriorityFrame(9, depends_on=9),
             SettingsFrame(0, flags=["ACK"]))  # fmt: skip
    assert talk.told.log == [("room", None), ("left",), ("room", None)]
    ping, settings = talk.made()
    assert (ping.opaque_data, list(ping.flags), list(settings.flags)) == (b"12345678", ["ACK"], ["ACK"])


def test_streams_that_the_client_ends() -> None:
    talk = Talk()
    talk.say(talk.head(1), RstStreamFrame(1, error_code=8), RstStreamFrame(1, error_code=8))
    assert talk.told.log == [("opened", 1, b"/a"), ("broken", 1)]
    assert (talk.engine.flows, talk.engine.faults, talk.made()) == ({}, 0, [])
    with pytest.raises(ConnectionResetError):
        talk.engine.send_head(talk.told.flows[1], b"\x88", end=True)


def test_what_comes_on_a_stream_that_we_have_reset_was_sent_before() -> None:
    talk = Talk()
    talk.say(talk.head(1))
    talk.engine.reset(talk.told.flows[1], Reason.CANCEL)
    talk.made()
    talk.say(DataFrame(1, b"abc"), HeadersFrame(1, talk.encoder.encode([("a", "b")]), flags=["END_HEADERS"]))
    assert (talk.made(), talk.engine.faults) == ([], 0)


def test_what_comes_of_a_client_that_does_not_keep_to_a_streams_end() -> None:
    talk = Talk()
    talk.say(talk.head(1, "END_STREAM"), DataFrame(1, b"abc"))
    assert talk.told.log[-1] == ("broken", 1)
    assert [frame.error_code for frame in talk.made()] == [Reason.STREAM_CLOSED]
    talk.say(DataFrame(1, b"abc"))
    assert [frame.error_code for frame in talk.made()] == [Reason.STREAM_CLOSED]
    talk.say(talk.head(3), WindowUpdateFrame(3, window_increment=2**31 - 1))
    assert [frame.error_code for frame in talk.made()] == [Reason.FLOW_CONTROL_ERROR]
    assert (talk.engine.faults, talk.engine.flows) == (3, {})


BROKEN: dict[str, tuple[Callable[[Talk], list[Frame | bytes]], Reason]] = {
    "data of no stream": (lambda _: [DataFrame(5, b"x")], Reason.PROTOCOL_ERROR),
    "reset of no stream": (lambda _: [RstStreamFrame(5)], Reason.PROTOCOL_ERROR),
    "room of no stream": (lambda _: [WindowUpdateFrame(5, window_increment=1)], Reason.PROTOCOL_ERROR),
    "room of nothing": (lambda _: [b"\0\0\4\x08\0\0\0\0\0\0\0\0\0"], Reason.PROTOCOL_ERROR),
    "stream of ours": (lambda talk: [talk.head(2)], Reason.PROTOCOL_ERROR),
    "head of stream 0": (lambda _: [b"\0\0\1\1\4\0\0\0\0\x82"], Reason.PROTOCOL_ERROR),
    "closed stream": (
        lambda talk: [talk.head(1), RstStreamFrame(1), talk.head(1)], Reason.STREAM_CLOSED,
    ),
    "a lower stream": (lambda talk: [talk.head(3), talk.head(1)], Reason.STREAM_CLOSED),
    "second head": (lambda talk: [talk.head(1), talk.head(1)], Reason.PROTOCOL_ERROR),
    "no HPACK": (lambda _: [HeadersFrame(1, b"\x80", flags=["END_HEADERS"])], Reason.COMPRESSION_ERROR),
    "push": (lambda talk: [talk.head(1), PushPromiseFrame(1, 2, b"")], Reason.PROTOCOL_ERROR),
    "inside of a head": (lambda _: [HeadersFrame(1, b""), PingFrame(0, b"12345678")], Reason.PROTOCOL_ERROR),
    "ping on a stream": (lambda _: [b"\0\0\x08\6\0\0\0\0\1" + bytes(8)], Reason.PROTOCOL_ERROR),
    "short ping": (lambda _: [b"\0\0\x07\6\0\0\0\0\0" + bytes(7)], Reason.FRAME_SIZE_ERROR),
    "short reset": (lambda talk: [talk.head(1), b"\0\0\3\3\0\0\0\0\1abc"], Reason.FRAME_SIZE_ERROR),
    "short priority": (lambda _: [b"\0\0\4\2\0\0\0\0\1abcd"], Reason.FRAME_SIZE_ERROR),
    "priority of nothing": (lambda _: [b"\0\0\5\2\0\0\0\0\0abcde"], Reason.PROTOCOL_ERROR),
    "short farewell": (lambda _: [b"\0\0\4\7\0\0\0\0\0abcd"], Reason.FRAME_SIZE_ERROR),
    "odd settings": (lambda _: [b"\0\0\5\4\0\0\0\0\0abcde"], Reason.FRAME_SIZE_ERROR),
    "acknowledged settings": (lambda _: [b"\0\0\6\4\1\0\0\0\0" + bytes(6)], Reason.FRAME_SIZE_ERROR),
    "window": (lambda _: [b"\0\0\6\4\0\0\0\0\0\0\4\x80\0\0\0"], Reason.FLOW_CONTROL_ERROR),
    "window of a stream": (
        lambda talk: [
            talk.head(1), WindowUpdateFrame(1, window_increment=9), SettingsFrame(0, settings={4: 2**31 - 1})
        ],
        Reason.FLOW_CONTROL_ERROR,
    ),
    "push allowed": (lambda _: [b"\0\0\6\4\0\0\0\0\0\0\2\0\0\0\2"], Reason.PROTOCOL_ERROR),
    "frame size": (lambda _: [b"\0\0\6\4\0\0\0\0\0\0\5\0\0\0\1"], Reason.PROTOCOL_ERROR),
    "padding": (lambda talk: [talk.head(1), b"\0\0\2\0\x08\0\0\0\1\2a"], Reason.PROTOCOL_ERROR),
    "large head": (
        lambda talk: [HeadersFrame(1, talk.encoder.encode([("a", "~" * 3900)] * 2), flags=["END_HEADERS"])],
        Reason.ENHANCE_YOUR_CALM,
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
def test_what_ends_the_connection(kind: str) -> None:
    make, reason = BROKEN[kind]
    talk = Talk()
    with pytest.raises(FrameError) as broken:
        talk.say(*make(talk))
    assert broken.value.reason == reason


@pytest.mark.parametrize("first", [b"GET / HTTP/1.1\r\n", PREFACE + PingFrame(0, b"12345678").serialize()])
def test_who_does_not_greet(first: bytes) -> None:
    engine = Engine(Limits(), Told())
    with pytest.raises(FrameError):
        engine.receive(engine.cut(first))


@pytest.mark.parametrize(
    ("said", "body", "good"),
    [(3, b"abc", True), (2, b"abc", False), (4, b"abc", False), (0, b"", True), (1, b"", False)],
)
def test_bodies_are_as_long_as_was_said(said: int, body: bytes, good: bool) -> None:
    talk = Talk()
    talk.told.expected = said
    frames = [talk.head(1), DataFrame(1, body, flags=["END_STREAM"])] if body else [talk.head(1, "END_STREAM")]
    if good:
        talk.say(*frames)
        assert talk.told.log[-1] == ("finished", 1)
    else:
        with pytest.raises(FrameError):
            talk.say(*frames)
