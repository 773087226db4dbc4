"""What a request for a session asks for. Pure.

Source: the options of pkg/kubelet/server and of the CRI streaming library (remotecommand.NewOptions, portforward
NewV4Options), whose parameters have names of their own: `input`, `output`, `error`, `tty`.
"""

from collections.abc import Mapping, Sequence

from pilothouse.kubelet.server.text import Refused
from pilothouse.net.relay import wanted_upgrade
from pilothouse.net.remote_command import TUNNEL_PREFIX, Wanted
from pilothouse.net.websocket import offered_protocols

V5 = "v5.channel.k8s.io"


def wanted_streams(query: Mapping[str, Sequence[str]]) -> Wanted:
    """The streams of exec and attach. Raises Refused."""
    stdin, stdout, stderr, tty = (
        next(iter(query.get(name, ())), "") == "1" for name in ("input", "output", "error", "tty")
    )
    if not (stdin or stdout or stderr):
        raise Refused(400, "you must specify at least 1 of stdin, stdout, stderr")
    # A terminal has one output.
    return Wanted(stdin, stdout, stderr and not tty, tty)


def wanted_ports(headers: Mapping[str, str], query: Mapping[str, Sequence[str]]) -> list[int]:
    """The ports to forward. SPDY names them stream by stream; plain WebSockets name them here. Raises Refused."""
    if wanted_upgrade(headers) != "websocket" or tunnelled(headers):
        return []
    values = query.get("port", ())
    if not values:
        raise Refused(400, 'query parameter "port" is required')
    return [_port(text) for value in values for text in value.split(",")]


def _port(text: str) -> int:
    if not text:
        raise Refused(400, 'query parameter "port" cannot be empty')
    number = int(text) if text.isascii() and text.isdigit() else -1
    if number < 0:
        raise Refused(400, f'unable to parse "{text}" as a port: strconv.ParseUint: parsing "{text}": invalid syntax')
    if number > 65535:
        raise Refused(
            400, f'unable to parse "{text}" as a port: strconv.ParseUint: parsing "{text}": value out of range'
        )
    if number == 0:
        raise Refused(400, f'port "{text}" must be > 0')
    return number


def tunnelled(headers: Mapping[str, str]) -> tuple[str, ...]:
    """The protocols that a WebSocket offers to carry SPDY for."""
    return tuple(name for name in offered_protocols(headers) if name.startswith(TUNNEL_PREFIX))
