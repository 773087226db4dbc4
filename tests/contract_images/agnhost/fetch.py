"""An HTTP client as small as `web`'s server."""

import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import ssl


class Answer:
    """What a server said."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body


def fetch(
    url: str,
    *,
    method: str = "GET",
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    seconds: float = 5.0,
    tls: "ssl.SSLContext | None" = None,
) -> Answer:
    """One request on a connection of its own. Raises OSError when there is no answer."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    host = parts.hostname or ""
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    sent = {"Host": parts.netloc, "User-Agent": "agnhost", "Connection": "close", **(headers or {})}
    if body:
        sent["Content-Length"] = str(len(body))
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items()), "", ""]
    plain = socket.create_connection((host, parts.port or (443 if secure else 80)), seconds)
    with plain, _secured(plain, host, tls) if secure else plain as connection:
        connection.sendall("\r\n".join(lines).encode() + body)
        with connection.makefile("rb") as stream:
            received = stream.read()
    return _parsed(received)


def _secured(plain: socket.socket, host: str, tls: "ssl.SSLContext | None") -> socket.socket:
    import ssl  # what a plain request need not wait for

    return (tls or ssl.create_default_context()).wrap_socket(plain, server_hostname=host)


def _parsed(received: bytes) -> Answer:
    head, separator, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    if not separator or not first.startswith("HTTP/"):
        raise ConnectionError("EOF")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = _joined(body)
    return Answer(int(first.split()[1]), headers, body)


def _joined(chunks: bytes) -> bytes:
    whole = b""
    while chunks:
        size, _, chunks = chunks.partition(b"\r\n")
        length = int(size.split(b";")[0] or b"0", 16)
        if not length:
            break
        whole, chunks = whole + chunks[:length], chunks[length + 2 :]
    return whole
