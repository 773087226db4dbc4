"""Where a connection is told apart: HTTP/2 for those who agreed on it in the TLS handshake, HTTP/1.1 for all others."""

import asyncio
from typing import cast

from pilothouse.net.door import Door
from pilothouse.net.http2_connection import Http2Connection
from pilothouse.net.server_connection import ServerConnection


class Entrance(asyncio.Protocol):
    """Stands at the door until the handshake is done."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The handshake is done: hand over."""
        tls = transport.get_extra_info("ssl_object")
        second = tls is not None and tls.selected_alpn_protocol() == "h2"
        connection = Http2Connection(self._door) if second else ServerConnection(self._door)
        cast("asyncio.Transport", transport).set_protocol(connection)
        connection.connection_made(transport)
