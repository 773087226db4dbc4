import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.net.websocket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    INVALID_DATA,
    PING,
    PONG,
    PROTOCOL_ERROR,
    TEXT,
    TOO_BIG,
    CloseReceived,
    Event,
    HandshakeError,
    Message,
    PingReceived,
    PongReceived,
    WebSocketDecoder,
    WebSocketError,
    accept_key,
    answer_handshake,
    check_answer,
    close_payload,
    encode_frame,
    offered_protocols,
    request_headers,
)

KEY = bytes(range(16))
MASK = b"\x37\xfa\x21\x3d"


def test_the_rfcs_own_examples() -> None:
    assert accept_key("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert encode_frame(TEXT, b"Hello") == bytes.fromhex("810548656c6c6f")
    assert encode_frame(TEXT, b"Hello", MASK) == bytes.fromhex("818537fa213d7f9f4d5158")
    assert encode_frame(BINARY, bytes(256))[:4] == bytes.fromhex("827e0100")
    assert encode_frame(BINARY, bytes(65536))[:10] == bytes.fromhex("827f0000000000010000")


def test_a_handshake_of_both_sides() -> None:
    request = {name.lower(): value for name, value in request_headers(KEY, ["a", "b"]).items()}
    assert offered_protocols(request) == ("a", "b")
    answer = {name.lower(): value for name, value in answer_handshake("GET", request, "b").items()}
    assert check_answer(KEY, ["a", "b"], answer) == "b"


@pytest.mark.parametrize(
    "change",
    [
        {"connection": "close"},
        {"upgrade": "SPDY/3.1"},
        {"sec-websocket-version": "8"},
        {"sec-websocket-key": "c2hvcnQ="},
        {"sec-websocket-key": "not base64!"},
    ],
)
def test_a_request_that_cannot_be_accepted(change: dict[str, str]) -> None:
    request = {name.lower(): value for name, value in request_headers(KEY, []).items()}
    with pytest.raises(HandshakeError):
        answer_handshake("GET", {**request, **change}, "")
    with pytest.raises(HandshakeError):
        answer_handshake("POST", request, "")


@pytest.mark.parametrize(
    "change",
    [{"sec-websocket-accept": "x"}, {"sec-websocket-extensions": "deflate"}, {"sec-websocket-protocol": "c"}],
)
def test_an_answer_that_cannot_be_accepted(change: dict[str, str]) -> None:
    request = {name.lower(): value for name, value in request_headers(KEY, ["a"]).items()}
    answer = {name.lower(): value for name, value in answer_handshake("GET", request, "a").items()}
    with pytest.raises(HandshakeError):
        check_answer(KEY, ["a"], {**answer, **change})


@given(st.lists(st.integers(1, 50), max_size=60), st.booleans(), st.binary(max_size=300))
def test_frames_survive_any_cut(cuts: list[int], masked: bool, data: bytes) -> None:
    mask = MASK if masked else b""
    wire = (
        encode_frame(BINARY, data, mask)
        + encode_frame(TEXT, "grü".encode()[:3], mask, final=False)
        + encode_frame(PING, b"p", mask)
        + encode_frame(CONTINUATION, "grü".encode()[3:], mask)
        + encode_frame(PONG, b"", mask)
        + encode_frame(CLOSE, close_payload(1000, "bye"), mask)
    )
    decoder = WebSocketDecoder(masked=masked)
    found: list[Event] = []
    for cut in cuts:
        found += decoder.receive(wire[:cut])
        wire = wire[cut:]
    found += decoder.receive(wire)
    expected = [Message(data), PingReceived(b"p"), Message("grü".encode(), text=True), PongReceived(b"")]
    assert found == [*expected, CloseReceived(1000, "bye")]


@pytest.mark.parametrize(
    ("wire", "code"),
    [
        ("c10161", PROTOCOL_ERROR),
        ("830161", PROTOCOL_ERROR),
        ("8b00", PROTOCOL_ERROR),
        ("0900", PROTOCOL_ERROR),
        ("897e0080", PROTOCOL_ERROR),
        ("800161", PROTOCOL_ERROR),
        ("010161810161", PROTOCOL_ERROR),
        ("827e0001", PROTOCOL_ERROR),
        ("827f0000000000000001", PROTOCOL_ERROR),
        ("827fffffffffffffffff", PROTOCOL_ERROR),
        ("818161626364", PROTOCOL_ERROR),
        ("880103", PROTOCOL_ERROR),
        ("880203ec", PROTOCOL_ERROR),
        ("880203ed", PROTOCOL_ERROR),
        ("88020001", PROTOCOL_ERROR),
        ("880303e8ff", INVALID_DATA),
        ("8101ff", INVALID_DATA),
        ("827e0400", TOO_BIG),
    ],
)
def test_what_breaks_the_protocol_is_refused(wire: str, code: int) -> None:
    with pytest.raises(WebSocketError) as caught:
        WebSocketDecoder(masked=False, limit=1000).receive(bytes.fromhex(wire))
    assert caught.value.code == code


def test_fragments_count_together() -> None:
    decoder = WebSocketDecoder(masked=False, limit=1000)
    decoder.receive(encode_frame(BINARY, bytes(900), final=False))
    with pytest.raises(WebSocketError, match="too big"):
        decoder.receive(encode_frame(CONTINUATION, bytes(101)))


def test_a_server_takes_no_unmasked_frames() -> None:
    with pytest.raises(WebSocketError, match="masked"):
        WebSocketDecoder(masked=True).receive(encode_frame(TEXT, b"a"))


def test_nothing_counts_after_a_close() -> None:
    decoder = WebSocketDecoder(masked=False)
    assert decoder.receive(encode_frame(CLOSE, b"") + b"garbage") == [CloseReceived(1005, "")]
    assert decoder.receive(b"more") == []
