"""What a call makes of the bytes that come for it."""

import asyncio

import pytest

from pilothouse.net.grpc_frames import GrpcCode, GrpcError, prefixed
from pilothouse.net.grpc_stream import WINDOW, GrpcStream


class Carrier:
    def __init__(self) -> None:
        self.sent = b""
        self.granted: list[int] = []
        self.dropped = False

    def send(self, stream: GrpcStream) -> None:
        self.sent += bytes(stream.pending)
        stream.pending.clear()

    def grant(self, stream: GrpcStream, size: int) -> None:
        self.granted.append(size)

    def drop(self, stream: GrpcStream) -> None:
        self.dropped = True


def stream_of(carrier: Carrier, *, lasting: bool) -> GrpcStream:
    return GrpcStream(carrier, 1, 65535, 0.0, lasting=lasting)


@pytest.mark.parametrize("cut", [1, 4, 5, 6, 7, 100])
def test_messages_come_in_any_pieces(cut: int) -> None:
    async def main() -> None:
        stream = stream_of(Carrier(), lasting=True)
        messages = [b"one", b"", b"three", bytes(50)]
        data = b"".join(map(prefixed, messages))
        for start in range(0, len(data), cut):
            piece = data[start : start + cut]
            stream.receive(piece, len(piece))
        stream.end(None)
        assert [await stream.read() for _ in range(5)] == [*messages, None]

    asyncio.run(main())


@pytest.mark.parametrize("count", [0, 2])
def test_an_answer_is_one_message(count: int) -> None:
    async def main() -> None:
        stream = stream_of(Carrier(), lasting=False)
        for _ in range(count):
            stream.receive(prefixed(b""), 5)
        stream.end(None)
        with pytest.raises(GrpcError) as found:
            await stream.answer()
        assert found.value.code is GrpcCode.INTERNAL

    asyncio.run(main())


def test_what_came_before_a_failure_is_read_first() -> None:
    async def main() -> None:
        stream = stream_of(Carrier(), lasting=True)
        stream.receive(prefixed(b"news"), 9)
        stream.end(GrpcError(GrpcCode.UNAVAILABLE, "gone"))
        assert await stream.read() == b"news"
        with pytest.raises(GrpcError, match="gone"):
            await stream.read()

    asyncio.run(main())


def test_room_is_given_for_what_is_read_and_for_what_is_not_yet_whole() -> None:
    async def main() -> None:
        carrier = Carrier()
        stream = stream_of(carrier, lasting=True)
        large = prefixed(bytes(WINDOW))
        stream.receive(large[: WINDOW // 2], WINDOW // 2)
        assert carrier.granted == [WINDOW // 2], "else it would never be whole"
        stream.receive(large[WINDOW // 2 :], WINDOW // 2 + 5)
        assert carrier.granted == [WINDOW // 2], "nobody has read it"
        await stream.read()
        assert carrier.granted == [WINDOW // 2, WINDOW // 2 + 5]
        other = stream_of(Carrier(), lasting=False)
        for _ in range(3):
            other.receive(prefixed(bytes(WINDOW // 2)), WINDOW // 2 + 5)
        assert len(other._carrier.granted) == 3, "an answer is read when it is whole"  # type: ignore[attr-defined]

    asyncio.run(main())


def test_writing_and_giving_up() -> None:
    carrier = Carrier()
    stream = stream_of(carrier, lasting=True)
    stream.write(b"ask")
    assert carrier.sent == prefixed(b"ask")
    stream.cancel()
    assert carrier.dropped
