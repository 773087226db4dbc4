"""Kubernetes' channels over WebSocket: the streams of exec and attach, each message led by its channel's number.

`v5.channel.k8s.io` adds to v4 that the client can close a channel (stdin); v4 adds to the older ones that the error
channel carries a Status. The base64 forms are for browsers: text messages, the number as a digit.
(k8s.io/apimachinery remotecommand constants and wsstream.)
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

from pilothouse.net.websocket import Message

STDIN, STDOUT, STDERR, ERROR, RESIZE = range(5)
_CLOSE = 255


class ChannelError(ValueError):
    """A message that belongs to no channel, or is not what its protocol prescribes."""


@dataclass(frozen=True, slots=True)
class ChannelProtocol:
    """How one sub-protocol writes its messages."""

    name: str
    text: bool = False
    """Base64 in text messages."""
    status: bool = True
    """The error channel carries a Status object, not a bare text."""
    closes: bool = False
    """The client can close a channel."""

    def encode(self, channel: int, data: bytes) -> Message:
        """A message of `channel`."""
        if self.text:
            return Message(str(channel).encode() + base64.b64encode(data), text=True)
        return Message(bytes([channel]) + data)

    def decode(self, message: Message) -> tuple[int, bytes | None]:
        """Channel and data of a message; None for data closes the channel. Raises ChannelError."""
        if not message.data:
            raise ChannelError("an empty message")
        number, data = message.data[0], message.data[1:]
        if self.closes and number == _CLOSE:
            if len(data) != 1:
                raise ChannelError("a close message names one channel")
            return data[0], None
        if self.text:
            try:
                return number - ord("0"), base64.b64decode(data, validate=True)
            except binascii.Error as error:
                raise ChannelError("a message is not base64") from error
        return number, data

    def encode_close(self, channel: int) -> Message:
        """The message that closes `channel`."""
        if not self.closes:
            raise ChannelError(f"{self.name} cannot close a channel")
        return Message(bytes([_CLOSE, channel]))


PROTOCOLS = (
    ChannelProtocol("v5.channel.k8s.io", closes=True),
    ChannelProtocol("v4.channel.k8s.io"),
    ChannelProtocol("v4.base64.channel.k8s.io", text=True),
    ChannelProtocol("channel.k8s.io", status=False),
    ChannelProtocol("base64.channel.k8s.io", text=True, status=False),
    ChannelProtocol("", status=False),
)
_BY_NAME = {protocol.name: protocol for protocol in PROTOCOLS}


def choose_protocol(offered: Sequence[str]) -> ChannelProtocol | None:
    """The first of the offered sub-protocols that we speak, as upstream chooses; none offered means the oldest."""
    for name in offered or ("",):
        if name in _BY_NAME:
            return _BY_NAME[name]
    return None
