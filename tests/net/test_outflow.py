import asyncio
from collections.abc import Iterable

import pytest

from pilothouse.net.outflow import SLICE, Outflow
from pilothouse.runtime.clock import SystemClock


class Wire(asyncio.Transport):
    """Keeps what is written, in the portions it came in, and asks for a pause when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.portions: list[bytes] = []
        self.aborted = False
        self.out: Outflow | None = None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.portions.append(bytes(data))
        if self.out is not None:
            self.out.pause()

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        self.write(b"".join(list_of_data))

    def abort(self) -> None:
        self.aborted = True


def _outflow(stall: float | None = None) -> tuple[Outflow, Wire]:
    wire = Wire()
    return Outflow(wire, SystemClock(), stall), wire


@pytest.mark.parametrize(
    ("sizes", "portions"),
    [
        ([10, 20], [30]),
        ([SLICE, 1], [SLICE, 1]),
        ([SLICE - 1, 1, 1], [SLICE, 1]),
        ([2 * SLICE + 5], [SLICE, SLICE, 5]),
        ([], []),
    ],
)
def test_pieces_leave_in_slices(sizes: list[int], portions: list[int]) -> None:
    async def main() -> None:
        out, wire = _outflow()
        await out.write_pieces([bytes(size) for size in sizes])
        assert [len(portion) for portion in wire.portions] == portions

    asyncio.run(main())


def test_between_slices_the_writer_waits_for_room() -> None:
    async def main() -> None:
        out, wire = _outflow()
        wire.out = out
        async with asyncio.TaskGroup() as group:
            writing = group.create_task(out.write(bytes(2 * SLICE)))
            for expected in (1, 2):
                await SystemClock().sleep(0.01)
                assert len(wire.portions) == expected
                assert not writing.done()
                out.resume()

    asyncio.run(main())


def test_a_peer_that_takes_nothing_is_dropped() -> None:
    async def main() -> None:
        out, wire = _outflow(0.01)
        out.pause()
        with pytest.raises(ConnectionAbortedError):
            await out.drain()
        assert wire.aborted

    asyncio.run(main())


def test_writing_to_a_lost_connection_fails() -> None:
    async def main() -> None:
        out, _ = _outflow()
        out.pause()
        asyncio.get_running_loop().call_soon(out.lose)
        with pytest.raises(ConnectionResetError):
            await out.drain()
        for data in (b"x", bytes(2 * SLICE)):
            with pytest.raises(ConnectionResetError):
                await out.write(data)

    asyncio.run(main())


def test_what_is_offered_in_one_turn_leaves_together() -> None:
    async def main() -> None:
        out, wire = _outflow()
        assert out.offer(b"a")
        assert out.offer(b"b")
        assert wire.portions == []
        await SystemClock().sleep(0)
        assert wire.portions == [b"ab"]
        assert out.offer(b"c")
        await SystemClock().sleep(0)
        assert wire.portions == [b"ab", b"c"]

    asyncio.run(main())


@pytest.mark.parametrize("size", [1, SLICE + 1])
def test_what_was_offered_stays_before_what_is_written(size: int) -> None:
    async def main() -> None:
        out, wire = _outflow()
        assert out.offer(b"before")
        await out.write(bytes(size))
        await SystemClock().sleep(0)
        assert b"".join(wire.portions) == b"before" + bytes(size)

    asyncio.run(main())


def test_what_is_offered_is_taken_or_refused() -> None:
    async def main() -> None:
        out, wire = _outflow()
        out.pause()
        assert not out.offer(b"a"), "no room"
        out.resume()
        assert out.offer(bytes(SLICE))
        assert not out.offer(b"b"), "enough for one turn"
        await SystemClock().sleep(0)
        assert out.offer(b"c")
        out.lose()
        assert not out.offer(b"d")
        await SystemClock().sleep(0)
        assert [len(portion) for portion in wire.portions] == [SLICE], "nobody is there to send the rest to"

    asyncio.run(main())


def test_nothing_that_is_offered_comes_between_two_slices() -> None:
    async def main() -> None:
        out, wire = _outflow()
        wire.out = out
        async with asyncio.TaskGroup() as group:
            group.create_task(out.write(bytes(2 * SLICE)))
            for expected in (1, 2):
                while len(wire.portions) < expected:
                    await SystemClock().sleep(0)
                out.resume()
                assert not out.offer(b"between"), "there is room, but it is not its turn"
        assert out.offer(b"after")
        await SystemClock().sleep(0)
        assert [len(portion) for portion in wire.portions] == [SLICE, SLICE, len(b"after")]

    asyncio.run(main())
