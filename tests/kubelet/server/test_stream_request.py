"""What exec, attach and port-forward are asked for."""

from urllib.parse import parse_qs

import pytest

from pilothouse.kubelet.server.stream_request import wanted_ports, wanted_streams
from pilothouse.kubelet.server.text import Refused
from pilothouse.net.remote_command import Wanted

SPDY = {"connection": "Upgrade", "upgrade": "SPDY/3.1"}
WEBSOCKET = {"connection": "Upgrade", "upgrade": "websocket"}
TUNNEL = {**WEBSOCKET, "sec-websocket-protocol": "SPDY/3.1+portforward.k8s.io"}


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("input=1&output=1&error=1", Wanted(stdin=True, stdout=True, stderr=True)),
        ("output=1&error=1&tty=1", Wanted(stdout=True, tty=True)),
        ("output=1&error=true", Wanted(stdout=True)),
    ],
)
def test_streams(query: str, wanted: Wanted) -> None:
    assert wanted_streams(parse_qs(query)) == wanted


@pytest.mark.parametrize("query", ["", "tty=1", "output=0"])
def test_a_session_without_streams(query: str) -> None:
    with pytest.raises(Refused, match="you must specify at least 1 of stdin, stdout, stderr") as caught:
        wanted_streams(parse_qs(query))
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("headers", "query", "ports"),
    [
        (SPDY, "", []),
        (SPDY, "port=80", []),
        (TUNNEL, "", []),
        (WEBSOCKET, "port=80", [80]),
        (WEBSOCKET, "port=80,443&port=53", [80, 443, 53]),
    ],
)
def test_ports(headers: dict[str, str], query: str, ports: list[int]) -> None:
    assert wanted_ports(headers, parse_qs(query)) == ports


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", 'query parameter "port" is required'),
        ("port=80,", 'query parameter "port" cannot be empty'),
        ("port=x", 'unable to parse "x" as a port: strconv.ParseUint: parsing "x": invalid syntax'),
        ("port=70000", 'unable to parse "70000" as a port: strconv.ParseUint: parsing "70000": value out of range'),
        ("port=0", 'port "0" must be > 0'),
    ],
)
def test_wrong_ports(query: str, message: str) -> None:
    with pytest.raises(Refused) as caught:
        wanted_ports(WEBSOCKET, parse_qs(query))
    assert (caught.value.status, caught.value.message) == (400, message)
