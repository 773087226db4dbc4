"""The framing of an HTTP/2 connection: the h2 library's, with our limits and one rule of its own changed.

To the library a GOAWAY from the peer ends everything. It only says that the peer asks for nothing new: what it has
asked for it waits for (RFC 9113, section 6.8). So the engine tells of it and goes on; the connection decides.
"""

from h2.config import H2Configuration
from h2.connection import ConnectionInputs, H2Connection, H2ConnectionStateMachine
from h2.events import Event
from h2.settings import SettingCodes, Settings

from pilothouse.net.door import Limits

STREAMS = 250
"""How many requests a client may have open, as upstream allows."""
_STREAM_WINDOW = 256 * 1024
CONNECTION_WINDOW = 16 * 1024 * 1024
"""How much of bodies may be on its way or unread, on a stream and on all of them."""


class Engine(H2Connection):
    """The framing of one connection. Heads are judged by us, once, so the library need not do it."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(
            H2Configuration(
                client_side=False,
                header_encoding=None,
                validate_inbound_headers=False,
                normalize_inbound_headers=False,
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
            )
        )
        self.state_machine = _Lasting()
        self.local_settings = Settings(
            client=False,
            initial_values={
                SettingCodes.MAX_CONCURRENT_STREAMS: STREAMS,
                SettingCodes.INITIAL_WINDOW_SIZE: _STREAM_WINDOW,
                SettingCodes.MAX_HEADER_LIST_SIZE: limits.header_bytes,
            },
        )
        self.decoder.max_header_list_size = limits.header_bytes

    def clear_outbound_data_buffer(self) -> None:
        """Called when the peer says that it leaves. What has been made is for what it has asked: it is sent."""


class _Lasting(H2ConnectionStateMachine):
    """The states of a connection that the peer's leave does not end."""

    def process_input(self, input_: ConnectionInputs) -> list[Event]:
        """Take what happened."""
        return [] if input_ is ConnectionInputs.RECV_GOAWAY else super().process_input(input_)
