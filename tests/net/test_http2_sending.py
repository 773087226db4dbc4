"""What goes, in the peer's windows; and how much it may send us."""

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, Event, ResponseReceived, StreamEnded

from pilothouse.net import hpack_encoder
from pilothouse.net.http2_frames import FIRST_WINDOW, MAX_FRAME, Reason
from pilothouse.net.http2_sending import CONNECTION_WINDOW, Flow, Sending


def _asked() -> tuple[Sending, Flow, H2Connection]:
    """A client of the library's that waits for an answer, and who answers."""
    client = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
    client.initiate_connection()
    client.send_headers(1, [(":method", "GET"), (":scheme", "https"), (":authority", "x"), (":path", "/")])
    sending = Sending(5000)
    flow = sending.flows[1] = Flow(1, FIRST_WINDOW)
    return sending, flow, client


def _heard(sending: Sending, client: H2Connection) -> list[Event]:
    data = b"".join(sending.made)
    sending.made.clear()
    return client.receive_data(data)


@pytest.mark.parametrize("size", [10, MAX_FRAME, 3 * MAX_FRAME])
def test_heads_of_every_size(size: int) -> None:
    sending, flow, client = _asked()
    client.decoder.max_header_list_size = 1 << 20
    value = "v" * size
    block = hpack_encoder.status(200) + hpack_encoder.name(b"x-a") + hpack_encoder.string(value.encode())
    sending.send_head(flow, block, end=True)
    answer, end = (each for each in _heard(sending, client) if isinstance(each, ResponseReceived | StreamEnded))
    assert isinstance(answer, ResponseReceived)
    assert [tuple(map(str, field)) for field in answer.headers] == [(":status", "200"), ("x-a", value)]
    assert isinstance(end, StreamEnded)


def test_a_client_that_allows_no_table_is_not_told_of_one() -> None:
    sending, flow, client = _asked()
    client.decoder.max_allowed_table_size = 0
    sending.send_head(flow, hpack_encoder.status(200), end=False)
    assert any(isinstance(each, ResponseReceived) for each in _heard(sending, client))


def test_data_keeps_to_the_windows() -> None:
    sending, flow, client = _asked()
    sending.send_head(flow, hpack_encoder.status(200), end=False)
    got = 0
    while room := sending.room(flow):
        assert room <= MAX_FRAME
        sending.send_data(flow, bytes(room), end=False)
        got += sum(len(each.data) for each in _heard(sending, client) if isinstance(each, DataReceived))
    assert got == FIRST_WINDOW
    other = Flow(3, FIRST_WINDOW)
    assert sending.room(other) == 0, "all streams have one window besides"


def test_a_stream_is_forgotten_when_both_have_said_all() -> None:
    sending, flow, _ = _asked()
    sending.send_head(flow, hpack_encoder.status(200), end=True)
    assert sending.flows == {1: flow}
    with pytest.raises(ConnectionResetError):
        sending.send_data(flow, b"x", end=False)
    with pytest.raises(ConnectionResetError):
        sending.room(flow)
    sending.reset(flow, Reason.NO_ERROR)
    sending.made.clear()
    sending.reset(flow, Reason.NO_ERROR)
    assert (sending.flows, sending.made) == ({}, [])


def test_room_is_given_when_it_is_worth_a_frame() -> None:
    sending, flow, _ = _asked()
    sending.made.clear()
    sending.acknowledge(flow, 100_000)
    assert sending.made == []
    sending.acknowledge(flow, 50_000)
    assert len(sending.made) == 1
    flow.ended = True
    sending.made.clear()
    sending.acknowledge(flow, 200_000)
    assert sending.made == [], "nothing more comes on this one"
    sending.acknowledge(flow, CONNECTION_WINDOW // 2)
    assert len(sending.made) == 1


def test_few_of_the_streams_that_we_reset_are_remembered() -> None:
    sending = Sending(5000)
    for number in range(1, 2001, 2):
        sending.reset(Flow(number, 0), Reason.CANCEL)
    assert len(sending._reset) == 256
    assert 1999 in sending._reset
