"""Sending answers: a head, and a body of whichever form, at the speed of the client."""

from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from pilothouse.net.arrival import Refusal
from pilothouse.net.http import Pushing, Response
from pilothouse.net.outflow import Outflow
from pilothouse.net.response_head import NO_BODY, response_head
from pilothouse.runtime.log import Log

log = Log(__name__)

_SMALL = 64 * 1024
"""Bodies up to this size leave in one piece with their head."""
_TEXT = "text/plain; charset=utf-8"


class AnswerWriter:
    """Writes the answers of one connection. Raises ConnectionError when the connection cannot go on."""

    def __init__(self, out: Outflow, date: Callable[[], str]) -> None:
        self._out = out
        self._date = date

    async def send(self, response: Response, *, close: bool, head_only: bool, chunks: bool) -> None:
        """One answer; `chunks` says whether the client knows them."""
        body = response.body
        try:
            length = body_length(response)
            head = response_head(response, length, date=self._date(), close=close)
        except ValueError as error:
            log.crash("Answer not sent", error=error)
            await self.refuse(Refusal(500, "Internal Server Error"))
            raise ConnectionAbortedError("the answer could not be sent") from error
        if head_only or response.status in NO_BODY:
            await self._out.write(head)
        elif isinstance(body, bytes):
            await (self._out.write(head + body) if len(body) <= _SMALL else self._out.write_pieces([head, body]))
        elif isinstance(body, AsyncIterator):
            await self._out.write(head if chunks else head.replace(b"Transfer-Encoding: chunked\r\n", b""))
            await self._stream(body, chunks and length is None)
        else:
            await self._out.write_pieces([head, *body])

    def _push(self, piece: bytes) -> bool:
        return len(piece) <= _SMALL and self._out.offer(_chunk(piece))

    async def refuse(self, refusal: Refusal) -> None:
        """The answer to a request that no handler sees; the connection ends with it."""
        text = f"{refusal.text}\n".encode()
        head = response_head(Response(refusal.status, content_type=_TEXT), len(text), date=self._date(), close=True)
        await self._out.write(head + text)

    async def _stream(self, pieces: AsyncIterator[bytes], chunks: bool) -> None:
        if chunks and isinstance(pieces, Pushing):
            pieces.push_to(self._push)
        try:
            async for piece in pieces:
                if not piece:
                    continue
                if not chunks:
                    await self._out.write(piece)
                elif len(piece) <= _SMALL:
                    await self._out.write(_chunk(piece))
                else:
                    await self._out.write_pieces([b"%x\r\n" % len(piece), piece, b"\r\n"])
        except Exception as error:
            if not self._out.lost:
                log.crash("Answer broke off", error=error)
            raise ConnectionAbortedError("the answer broke off") from error
        if chunks:
            await self._out.write(b"0\r\n\r\n")


def _chunk(piece: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(piece), piece)


class _Gone:
    """A client that has left, as an upgrade sees it."""

    async def read(self) -> bytes:
        """The end."""
        return b""

    async def write(self, data: bytes) -> None:  # noqa: ARG002 - the signature of every stream
        """Refuse."""
        raise ConnectionResetError("the peer has left")

    def write_eof(self) -> None:
        """Nothing to close."""

    async def close(self) -> None:
        """Nothing to close."""


async def dispose(response: Response) -> None:
    """Close a body that iterates, or an upgrade that never begins: whoever feeds it must know that nobody reads on."""
    if response.upgrade is not None:
        with suppress(ConnectionError):
            await response.upgrade(_Gone())
        return
    close = getattr(response.body, "aclose", None)
    if close is not None:
        await close()


def body_length(response: Response) -> int | None:
    """How long a body is; None for one that must be read to its end to know."""
    body = response.body
    if isinstance(body, bytes):
        return len(body)
    return response.length if isinstance(body, AsyncIterator) else sum(map(len, body))
