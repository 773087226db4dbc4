"""A small HTTP/1.1 server: a thread per connection, and a table of paths. It is there in a hundredth of a second.

(`http.server` takes ten times as long to import, which every pod of a test would wait for.)
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    import ssl

_LIMIT = 64 << 20
_WORDS = {
    200: "OK", 201: "Created", 204: "No Content", 301: "Moved Permanently", 302: "Found", 304: "Not Modified",
    307: "Temporary Redirect", 308: "Permanent Redirect", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
    404: "Not Found", 405: "Method Not Allowed", 412: "Precondition Failed", 417: "Expectation Failed",
    500: "Internal Server Error", 503: "Service Unavailable",
}  # fmt: skip


class Disconnect(Exception):
    """A handler raises it to have the connection cut."""


class Request:
    """What a client asked: headers by name in lower case, several of one name joined by commas.

    `remote` is the client's host:port, and `peer` the connection, for what TLS knows of the client.
    """

    def __init__(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes, remote: str, peer: object = None
    ) -> None:
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        self.remote = remote
        self.peer = peer

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    def query(self, name: str) -> str:
        """The first value of a parameter of the URL; "" when there is none."""
        return _first(urlsplit(self.target).query, name)

    def form(self, name: str) -> str:
        """The same, where a form in the body comes before the URL."""
        posted = self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        return (_first(self.body.decode(errors="replace"), name) if posted else "") or self.query(name)


def _first(text: str, name: str) -> str:
    return next((value for key, value in parse_qsl(text, keep_blank_values=True) if key == name), "")


class Reply:
    """What a handler answers. A body in pieces is sent as it comes, and the connection ends with it."""

    def __init__(
        self, body: str | bytes | Iterator[bytes] = b"", status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        self.body = body
        self.status = status
        self.headers = headers or {}


def error(text: str, status: int) -> Reply:
    """An answer that says what is wrong, as Go's http.Error."""
    return Reply(text + "\n", status, {"X-Content-Type-Options": "nosniff"})


def _nothing(request: Request) -> Reply:
    return error("404 page not found", 404)


Handler = Callable[[Request], Reply]
Routes = Mapping[str, Handler]
"""Handlers by path; that of "/" answers what no other does."""


def listen(port: int, host: str = "") -> socket.socket:
    """A socket that takes connections of both address families, or of IPv4 alone where there is nothing else."""
    try:
        taking = socket.socket(socket.AF_INET6 if not host or ":" in host else socket.AF_INET)
        if taking.family == socket.AF_INET6:
            taking.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        taking.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taking.bind((host, port))
    except OSError:
        if host:
            raise
        taking = socket.socket()
        taking.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taking.bind(("0.0.0.0", port))
    taking.listen(1024)
    return taking


class Server:
    """Answers on one socket until it is closed."""

    def __init__(self, routes: Routes, taking: socket.socket, tls: "ssl.SSLContext | None" = None) -> None:
        self._routes = routes
        self._taking = taking
        self._tls = tls
        self._busy = 0
        self._idle = threading.Condition()

    @property
    def port(self) -> int:
        """The port that it answers on."""
        return int(self._taking.getsockname()[1])

    def serve(self) -> None:
        """Take connections; returns when the server is closed."""
        while True:
            try:
                connection, address = self._taking.accept()
            except OSError:
                return
            threading.Thread(target=self._converse, args=(connection, address), daemon=True).start()

    def start(self) -> threading.Thread:
        """Serve in a thread of its own, which ends when the server is closed."""
        thread = threading.Thread(target=self.serve, daemon=True)
        thread.start()
        return thread

    def close(self, seconds: float = 0.0) -> bool:
        """Take no more connections, and wait for what is being answered; whether all was."""
        with contextlib.suppress(OSError):  # it may never have taken any
            self._taking.shutdown(socket.SHUT_RDWR)
        self._taking.close()
        with self._idle:
            return self._idle.wait_for(lambda: not self._busy, seconds)

    def _converse(self, connection: socket.socket, address: tuple[str, int]) -> None:
        host = address[0].removeprefix("::ffff:")
        remote = f"[{host}]:{address[1]}" if ":" in host else f"{host}:{address[1]}"
        try:
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            stream = connection.makefile("rb")
            while request := _read(stream.readline, stream.read, remote, connection):
                with self._idle:
                    self._busy += 1
                try:
                    goes_on = _answer(connection, request, self._handler(request.path)(request))
                finally:
                    with self._idle:
                        self._busy -= 1
                        self._idle.notify_all()
                if not goes_on:
                    break
        except (OSError, Disconnect, ValueError):
            pass  # the client is gone, or is to be
        finally:
            connection.close()

    def _handler(self, path: str) -> Handler:
        return self._routes.get(path) or self._routes.get("/") or _nothing


def _read(line: Callable[[], bytes], read: Callable[[int], bytes], remote: str, peer: object) -> Request | None:
    """The next request of a connection; None at its end."""
    first = line()
    if not first.strip():
        return None
    method, target, _ = first.decode("latin-1").split(None, 2)
    headers: dict[str, str] = {}
    while (text := line().decode("latin-1").strip()) != "":
        name, _, value = text.partition(":")
        name = name.lower()
        headers[name] = f"{headers[name]}, {value.strip()}" if name in headers else value.strip()
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = b"".join(_chunks(line, read))
    else:
        body = read(min(int(headers.get("content-length", "0")), _LIMIT))
    return Request(method, target, headers, body, remote, peer)


def _chunks(line: Callable[[], bytes], read: Callable[[int], bytes]) -> Iterator[bytes]:
    while size := int(line().split(b";")[0], 16):
        yield read(min(size, _LIMIT))
        line()
    while line().strip():
        pass


def _answer(connection: socket.socket, request: Request, reply: Reply) -> bool:
    """Send it; whether the connection goes on."""
    whole = reply.body.encode() if isinstance(reply.body, str) else reply.body
    stays = isinstance(whole, bytes) and "close" not in request.headers.get("connection", "").lower()
    headers = {
        "Date": time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime()),
        "Content-Type": "text/plain; charset=utf-8",
        **({"Content-Length": str(len(whole))} if isinstance(whole, bytes) else {}),
        **({} if stays else {"Connection": "close"}),
        **reply.headers,
    }
    lines = [f"HTTP/1.1 {reply.status} {_WORDS.get(reply.status, 'status code ' + str(reply.status))}"]
    head = "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items()), "", ""]).encode("latin-1")
    if request.method == "HEAD":
        connection.sendall(head)
        return stays
    if isinstance(whole, bytes):
        connection.sendall(head + whole)
        return stays
    connection.sendall(head)
    for piece in whole:
        connection.sendall(piece)
    return False


def pair(certificate: str, key: str) -> "ssl.SSLContext":
    """TLS with a certificate and its key."""
    import ssl  # what a plain server need not wait for

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key or None)
    return context
