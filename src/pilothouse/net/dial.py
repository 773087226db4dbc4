"""Dialling out: a raw connection, and one HTTP request over it that may end in an upgrade.

The connection counts as upgraded only after a 101 that names the protocol which was asked for. Any other answer is an
answer like any other: it is read as such and the connection is closed with it, never spliced (CVE-2018-1002105).
"""

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httptools

from pilothouse.net.stream import ConnectionStream
from pilothouse.runtime.clock import Clock

_MAX_HEAD = 128 * 1024


async def dial(
    host: str, port: int, tls: ssl.SSLContext | None, clock: Clock, *, server_name: str = "", timeout: float = 10.0
) -> ConnectionStream:
    """Connect. Raises ConnectionError (or another OSError) or TimeoutError when that fails."""
    try:
        async with clock.timeout(timeout):
            _, stream = await asyncio.get_running_loop().create_connection(
                lambda: ConnectionStream(clock),
                host,
                port,
                ssl=tls,
                server_hostname=(server_name or host) if tls is not None else None,
            )
    except OSError:
        raise
    except (OverflowError, ValueError) as error:  # the library's word for a host or port that none can be
        raise ConnectionAbortedError(f"no such address: {error}") from error
    return stream


@dataclass(slots=True, eq=False)
class Reply:
    """What the other side answered. With `upgraded` the stream now speaks the protocol that was asked for."""

    status: int
    headers: Mapping[str, str]
    """By lower-case names."""
    body: AsyncIterator[bytes]
    """The connection is closed at its end, and with `close`."""
    upgraded: bool = False
    fields: Sequence[tuple[str, str]] = ()
    """The headers as they came, each for itself."""

    async def read(self, limit: int) -> bytes:
        """The body, cut at `limit` bytes."""
        whole = b""
        async for piece in self.body:
            whole += piece
            if len(whole) > limit:
                break
        await self.close()
        return whole[:limit]

    async def close(self) -> None:
        """Drop the rest of the body."""
        close = getattr(self.body, "aclose", None)
        if close is not None:
            await close()


async def ask(
    stream: ConnectionStream, method: str, target: str, headers: Mapping[str, str | Sequence[str]], body: bytes = b""
) -> Reply:
    """Send one request and read the head of its answer. `headers` with `Upgrade` asks for an upgrade.

    A header with a sequence of values is sent once for each. Raises ConnectionError when the connection ends
    or the answer is malformed; the connection is then closed.
    """
    wanted = next((value for name, value in headers.items() if name.lower() == "upgrade"), "")
    length = {"Content-Length": str(len(body))} if body or method not in ("GET", "HEAD") else {}
    try:
        await stream.write(request_head(method, target, {**headers, **length}) + body)
    except BaseException:
        stream.abort()
        raise
    return await read_reply(stream, method, wanted if isinstance(wanted, str) else "")


async def read_reply(stream: ConnectionStream, method: str, wanted: str = "") -> Reply:
    """Read the head of the answer to a request that was sent by `method`, and that asked to switch to `wanted`.

    Raises ConnectionError as `ask` does.
    """
    try:
        reader = _ReplyReader(stream, bodiless=method == "HEAD")
        await reader.read_head()
        upgraded = reader.status == 101
        if upgraded:
            _check_upgrade(reader.headers, wanted)
            stream.unread(reader.rest)
    except BaseException:
        stream.abort()
        raise
    return Reply(reader.status, reader.headers, _nothing() if upgraded else reader, upgraded, reader.fields)


def request_head(method: str, target: str, headers: Mapping[str, str | Sequence[str]]) -> bytes:
    """The head of a request as bytes. Raises ValueError for what would break out of its line."""
    lines = [f"{method} {target} HTTP/1.1"]
    for name, values in headers.items():
        lines += [f"{name}: {value}" for value in ((values,) if isinstance(values, str) else values)]
    if " " in target or any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a header or the target contains a space or a line break")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _check_upgrade(headers: Mapping[str, str], wanted: str) -> None:
    tokens = [token.strip().lower() for token in headers.get("connection", "").split(",")]
    if not wanted or "upgrade" not in tokens or headers.get("upgrade", "").lower() != wanted.lower():
        raise ConnectionAbortedError("unable to upgrade: missing upgrade headers in response")


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""


class _ReplyReader(AsyncIterator[bytes]):
    """Parses one answer; iterating gives its body."""

    def __init__(self, stream: ConnectionStream, *, bodiless: bool) -> None:
        self._stream = stream
        self._bodiless = bodiless
        self._parser: Any = httptools.HttpResponseParser(self)
        # CGI programs end their lines as files do. Go's client takes that, so ours must, to probe and to proxy.
        self._parser.set_dangerous_leniencies(lenient_optional_cr_before_lf=True)
        self._pieces: deque[bytes] = deque()
        self._complete = False
        self._head_complete = False
        self.status = 0
        self.headers: dict[str, str] = {}
        self.fields: list[tuple[str, str]] = []
        self.rest = b""

    async def read_head(self) -> None:
        size = 0
        while not self._head_complete:
            data = await self._stream.read()
            if not data:
                raise ConnectionResetError("the server closed the connection without an answer")
            size += len(data)
            self._feed(data)
            if size > _MAX_HEAD and not self._head_complete:
                raise ConnectionAbortedError("the head of the answer is too long")

    async def __anext__(self) -> bytes:
        try:
            while not self._pieces:
                if self._complete:
                    raise StopAsyncIteration
                self._more(await self._stream.read())
        except BaseException:
            await self.aclose()
            raise
        return self._pieces.popleft()

    def _more(self, data: bytes) -> None:
        if data:
            self._feed(data)
        elif "content-length" in self.headers or "transfer-encoding" in self.headers:
            raise ConnectionResetError("the connection ended in the middle of an answer")
        else:
            self._complete = True

    async def aclose(self) -> None:
        """Drop the rest of the answer, and the connection with it."""
        self._complete = True
        self._pieces.clear()
        await self._stream.close()

    def _feed(self, data: bytes) -> None:
        """Only a head without body may leave bytes behind: those of the protocol that was switched to."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as switch:
            self.rest = data[switch.args[0] :]
        except httptools.HttpParserError as error:
            if not self._complete:
                raise ConnectionAbortedError("the answer is malformed") from error

    def on_header(self, name: bytes, value: bytes) -> None:
        key = name.decode("latin-1").lower()
        text = value.decode("latin-1")
        self.fields.append((name.decode("latin-1"), text))
        self.headers[key] = f"{self.headers[key]}, {text}" if key in self.headers else text

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        self._head_complete = self.status == 101 or self.status >= 200
        self._complete = self._head_complete and self._bodiless

    def on_body(self, piece: bytes) -> None:
        if not self._complete:
            self._pieces.append(piece)

    def on_message_complete(self) -> None:
        if self._head_complete:
            self._complete = True
        else:
            self.headers = {}
            self.fields = []
