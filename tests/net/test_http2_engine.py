"""What the engine does otherwise than the library it is made of; the rest is in test_http2_connection.py."""

from h2.connection import ConnectionState
from h2.events import ConnectionTerminated, PingReceived
from hyperframe.frame import GoAwayFrame, PingFrame, SettingsFrame

from pilothouse.net.door import Limits
from pilothouse.net.http2_engine import STREAMS, Engine

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SettingsFrame(0).serialize()


def test_it_outlives_the_peers_leave() -> None:
    engine = Engine(Limits())
    engine.initiate_connection()
    engine.receive_data(PREFACE)
    engine.data_to_send()
    ping = PingFrame(0, b"12345678").serialize()
    events = engine.receive_data(ping + GoAwayFrame(0, error_code=2).serialize() + ping)
    assert [type(event) for event in events] == [PingReceived, ConnectionTerminated, PingReceived]
    assert engine.state_machine.state is not ConnectionState.CLOSED
    assert engine.data_to_send().count(b"12345678") == 2, "what was made before is sent"


def test_its_limits() -> None:
    settings = Engine(Limits(header_bytes=5000)).local_settings
    assert (settings.max_concurrent_streams, settings.max_header_list_size) == (STREAMS, 5000)
