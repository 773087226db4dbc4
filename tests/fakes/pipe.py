"""Two ByteStreams joined in memory, for tests of what speaks over one."""

import asyncio


class PipeEnd:
    """One end; what it writes the other reads."""

    def __init__(self) -> None:
        self.inbox: asyncio.Queue[bytes] = asyncio.Queue()
        self.other: PipeEnd | None = None
        self.closed = False
        self.halves_closed = 0
        self._ended = False

    async def read(self) -> bytes:
        if self._ended:
            return b""
        data = await self.inbox.get()
        self._ended = not data
        return data

    async def write(self, data: bytes) -> None:
        assert self.other is not None
        if self.closed or self.other.closed:
            raise ConnectionResetError("gone")
        if data:
            self.other.inbox.put_nowait(data)

    def write_eof(self) -> None:
        assert self.other is not None
        self.halves_closed += 1
        self.other.inbox.put_nowait(b"")

    async def close(self) -> None:
        if not self.closed:
            self.closed = True
            self.inbox.put_nowait(b"")
            self.write_eof()


def pipe() -> tuple[PipeEnd, PipeEnd]:
    one, other = PipeEnd(), PipeEnd()
    one.other, other.other = other, one
    return one, other
