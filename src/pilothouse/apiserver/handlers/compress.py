"""Step: what is long is sent compressed to those who take it so. Through TLS, that costs less than the bytes it saves.

Streams (watch, logs, what a backend answers) are left alone. Threshold, level and headers are upstream's
(apiserver/pkg/endpoints/handlers/responsewriters/writers.go).
"""

from collections.abc import AsyncIterator, Iterator, Sequence

from isal import isal_zlib

from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.handlers.deadline import is_lasting
from pilothouse.apiserver.handlers.framework import Next, Step
from pilothouse.net.http import Response
from pilothouse.runtime.clock import Clock

THRESHOLD = 128 * 1024
"""Bytes of a body from which on it is compressed."""
_SLICE = 256 * 1024
"""How much is compressed before others have their turn."""
_GZIP = 16 + 15
"""What zlib calls the gzip format with its largest window."""


def compress(clock: Clock) -> Step:
    """Make the step."""

    async def step(exchange: Exchange, following: Next) -> Response:
        response = await following(exchange)
        body = response.body
        if isinstance(body, bytes):
            if len(body) <= THRESHOLD:
                return response
            body = (body,)
        if isinstance(body, AsyncIterator) or not takes_gzip(exchange.header("accept-encoding")):
            return response
        if sum(map(len, body)) <= THRESHOLD or is_lasting(exchange.info):
            return response
        headers = {**response.headers, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        return Response(response.status, gzipped(body, clock), headers, response.content_type)

    return step


def takes_gzip(accepted: str) -> bool:
    """Whether gzip is among what the client accepts; as upstream, by that word alone."""
    return "gzip" in accepted and any(each.strip() == "gzip" for each in accepted.split(","))


async def gzipped(pieces: Sequence[bytes | memoryview], clock: Clock) -> AsyncIterator[bytes]:
    """The pieces compressed, a slice at a time."""
    compressor = isal_zlib.compressobj(1, isal_zlib.DEFLATED, _GZIP)
    for batch in _sliced(pieces):
        yield compressor.compress(batch)
        await clock.sleep(0)
    yield compressor.flush()


def _sliced(pieces: Sequence[bytes | memoryview]) -> Iterator[bytes | memoryview]:
    batch: list[bytes | memoryview] = []
    size = 0
    for piece in pieces:
        if size + len(piece) > _SLICE and batch:
            yield b"".join(batch)
            batch, size = [], 0
        if len(piece) > _SLICE:
            yield from (piece[start : start + _SLICE] for start in range(0, len(piece), _SLICE))
        else:
            batch.append(piece)
            size += len(piece)
    yield b"".join(batch)
