"""Bodies that iterate, wrapped by steps that must know when an answer begins or ends.

Who sends an answer closes its body in any case (`net.answer.dispose`).
"""

from collections.abc import AsyncIterator, Awaitable, Callable

from pilothouse.net.http import ByteStream, Pushing, Response

Told = Callable[[], None]


class Closing(AsyncIterator[bytes]):
    """Tells when nobody reads any more. Pieces pass as they would without it."""

    def __init__(self, body: AsyncIterator[bytes], told: Told) -> None:
        self._body = body
        self._told: Told | None = told

    def __anext__(self) -> Awaitable[bytes]:
        return self._body.__anext__()

    def push_to(self, take: Callable[[bytes], bool]) -> None:
        """Offer pieces to `take` first, where the body can."""
        if isinstance(self._body, Pushing):
            self._body.push_to(take)

    async def aclose(self) -> None:
        """Nobody reads on."""
        self._tell()
        close = getattr(self._body, "aclose", None)
        if close is not None:
            await close()

    def _tell(self) -> None:
        told, self._told = self._told, None
        if told is not None:
            told()


class Ending(Closing):
    """Tells as soon as there is no more, too."""

    def __anext__(self) -> Awaitable[bytes]:
        return self._next()

    async def _next(self) -> bytes:
        try:
            return await anext(self._body)
        except BaseException:
            self._tell()
            raise


class Beginning(Closing):
    """Tells when the first piece is there, or nobody wants it any more."""

    def __anext__(self) -> Awaitable[bytes]:
        return self._first() if self._told is not None else self._body.__anext__()

    async def _first(self) -> bytes:
        try:
            return await anext(self._body)
        finally:
            self._tell()


def when_over(response: Response, told: Told, kind: type[Closing] = Closing) -> bool:
    """Call `told` once an answer that goes on is over. False for one that does not go on."""
    upgrade, body = response.upgrade, response.body
    if upgrade is not None:

        async def followed(stream: ByteStream) -> None:
            try:
                await upgrade(stream)
            finally:
                told()

        response.upgrade = followed
        return True
    if isinstance(body, bytes) or not isinstance(body, AsyncIterator):
        return False
    response.body = kind(body, told)
    return True
