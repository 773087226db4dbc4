"""Two connections joined byte for byte, until both have ended.

What one end sends goes to the other as fast as that takes it and no faster; a half that closes is closed over there;
an end that is lost takes the other along.
"""

import asyncio

from pilothouse.net.http import ByteStream


async def splice(one: ByteStream, other: ByteStream, *, halves: bool = True) -> None:
    """Carry bytes both ways; both streams are closed in the end, also when this is cancelled.

    Without `halves` the first end of either closes both: for protocols whose peers never close one half alone.
    """
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_carry(one, other, halves))
            group.create_task(_carry(other, one, halves))
    finally:
        await one.close()
        await other.close()


async def _carry(source: ByteStream, sink: ByteStream, halves: bool) -> None:
    try:
        while data := await source.read():
            await sink.write(data)
    except ConnectionError:
        await source.close()
        await sink.close()
    else:
        if halves:
            sink.write_eof()
        else:
            await sink.close()
            await source.close()
