"""Long answers, compressed for those who take them so."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Sequence

import pytest

from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.handlers.compress import THRESHOLD, compress
from pilothouse.apiserver.request_info import parse_request_info
from pilothouse.apiserver.user import User
from pilothouse.net.http import Peer, Request, Response
from pilothouse.runtime.clock import SystemClock

PODS = "/api/v1/namespaces/n/pods"
LONG = b"0123456789abcdef" * (THRESHOLD // 16 + 1)


def asked(body: bytes | Sequence[bytes] | AsyncIterator[bytes], accepted: str, target: str = PODS) -> Response:
    """What becomes of an answer with this body; one that is compressed is read to its end."""

    async def following(_exchange: Exchange) -> Response:
        return Response(200, body, {"Warning": "w"})

    async def main() -> Response:
        request = Request("GET", target, {"accept-encoding": accepted}, Peer("1.2.3.4:5"))
        exchange = Exchange(request, parse_request_info("GET", target), 0.0, User("jane"))
        response = await compress(SystemClock())(exchange, following)
        if "Content-Encoding" in response.headers:
            assert isinstance(response.body, AsyncIterator)
            response.body = b"".join([piece async for piece in response.body])
        return response

    return asyncio.run(main())


@pytest.mark.parametrize(
    "body", [LONG, [LONG[:1000], LONG[1000:], b"]"], [LONG * 5, b"x", LONG * 3], [b"x" * 7] * 90_000]
)
@pytest.mark.parametrize("accepted", ["gzip", "deflate, gzip ,br"])
def test_what_is_long_is_compressed(body: bytes | list[bytes], accepted: str) -> None:
    response = asked(body, accepted)
    whole = body if isinstance(body, bytes) else b"".join(body)
    assert isinstance(response.body, bytes)
    assert len(response.body) < len(whole) / 20
    assert gzip.decompress(response.body) == whole
    assert response.headers == {"Warning": "w", "Content-Encoding": "gzip", "Vary": "Accept-Encoding"}


@pytest.mark.parametrize(
    ("body", "accepted", "target"),
    [
        (LONG, "", PODS),
        (LONG, "deflate", PODS),
        (LONG, "gzip;q=1", PODS),  # assumed: upstream compares words
        (LONG[:THRESHOLD], "gzip", PODS),
        (LONG, "gzip", f"{PODS}/web/log"),
        (LONG, "gzip", f"{PODS}/web/proxy/x"),
    ],
)
def test_the_rest_is_not(body: bytes, accepted: str, target: str) -> None:
    response = asked(body, accepted, target)
    assert response.body is body
    assert response.headers == {"Warning": "w"}


def test_a_stream_is_left_alone() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield LONG

    body = pieces()
    assert asked(body, "gzip", f"{PODS}?watch=1").body is body
