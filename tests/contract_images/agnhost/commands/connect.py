"""Tries a connection, and says by one word what went wrong: UNKNOWN, TIMEOUT, DNS, REFUSED or OTHER."""

import socket
import sys
from collections.abc import Sequence

from contract_images.agnhost.flags import Flags


def run(arguments: Sequence[str]) -> int:
    """Connect to the host:port that is given; the status is 1 when it fails."""
    flags = Flags(arguments, {"timeout": 0.0, "protocol": "tcp", "udp-data": "hostname", "sctp-data": "hostname"})
    host, colon, port = "".join(flags.words[:1]).rpartition(":")
    protocol = flags.text("protocol") or "tcp"
    if not colon or not port.isdigit() or protocol not in ("tcp", "udp"):
        print(f"UNKNOWN: address {port}: missing port in address", file=sys.stderr)
        return 1
    datagrams = flags.text("udp-data").encode() + b"\n" if protocol == "udp" else None
    wrong = attempt(host.strip("[]"), int(port), flags.seconds("timeout") or None, datagrams)
    if wrong:
        print(wrong, file=sys.stderr)
    return 1 if wrong else 0


def attempt(host: str, port: int, seconds: float | None, datagram: bytes | None = None) -> str:
    """What went wrong, or "": over UDP with a datagram that must be answered, over TCP without."""
    kind = socket.SOCK_STREAM if datagram is None else socket.SOCK_DGRAM
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=kind)[0]
    except OSError as error:
        return f"DNS: {error}"
    with socket.socket(family, kind) as connection:
        connection.settimeout(seconds)
        try:
            connection.connect(address)
            if datagram is not None:
                connection.send(datagram)
                connection.recv(1024)
        except TimeoutError:
            return "TIMEOUT"
        except ConnectionRefusedError:
            return "REFUSED"
        except OSError as error:
            return f"OTHER: {error}"
    return ""
