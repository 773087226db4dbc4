"""Which member is asked, what is asked again elsewhere, and what is known of trouble."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from pilothouse.net.grpc_frames import GrpcCode, GrpcError
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.store.etcd.connection import Connection, Refused
from pilothouse.store.interface import StoreError, TooLarge, Unavailable
from pilothouse.testing.loop import run

URLS = ["http://a:2379", "http://b:2379", "http://c:2379"]


@dataclass
class Channel:
    """A member that fails by what it is given, after some time."""

    clock: LoopClock
    error: GrpcError | None = None
    after: float = 0.0
    asked: int = 0
    moved: int = 0
    closed: bool = False

    async def call(self, path: str, message: bytes, seconds: float) -> bytes:
        self.asked += 1
        error, after = self.error, self.after
        await self.clock.sleep(min(after, seconds))
        if after > seconds:
            raise GrpcError(GrpcCode.DEADLINE_EXCEEDED, "no answer in time")
        if error is not None:
            raise error
        return b""

    def end_lasting(self, error: GrpcError) -> None:
        self.moved += 1

    async def close(self) -> None:
        self.closed = True


Story = Callable[[Connection, list[Channel], LoopClock], Awaitable[None]]


def story(body: Story, servers: int = 3) -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        connection = Connection(URLS[:servers], None, clock)
        channels = [Channel(clock) for _ in range(servers)]
        for member, channel in zip(connection._members, channels, strict=True):
            member.channel = channel  # type: ignore[assignment]
        async with connection:
            await body(connection, channels, clock)
        assert all(channel.closed for channel in channels)

    run(main)


async def ask(connection: Connection, *, repeatable: bool) -> object:
    return await connection.call("Range", connection.messages["RangeRequest"](key=b"a"), repeatable=repeatable)


def asked(channels: list[Channel]) -> list[int]:
    return [channel.asked for channel in channels]


NEVER_SENT = GrpcError(GrpcCode.UNAVAILABLE, "failed to connect to all addresses: a:2379", sent=False)
LOST = GrpcError(GrpcCode.UNAVAILABLE, "the connection is lost")


@pytest.mark.parametrize(("error", "repeatable"), [(NEVER_SENT, False), (NEVER_SENT, True), (LOST, True)])
def test_what_cannot_have_happened_or_only_reads_is_asked_of_the_next(error: GrpcError, repeatable: bool) -> None:
    async def body(connection: Connection, channels: list[Channel], clock: LoopClock) -> None:
        channels[0].error = error
        await ask(connection, repeatable=repeatable)
        await ask(connection, repeatable=repeatable)
        assert asked(channels) == [1, 2, 0], "the next stays in use"
        assert channels[0].moved == 1
        assert connection.trouble == ""

    story(body)


def test_a_write_that_may_have_happened_is_told_of() -> None:
    async def body(connection: Connection, channels: list[Channel], clock: LoopClock) -> None:
        channels[0].error = LOST
        with pytest.raises(Unavailable, match=r"^etcdserver: the connection is lost$"):
            await ask(connection, repeatable=False)
        assert asked(channels) == [1, 0, 0]
        await ask(connection, repeatable=False)
        assert asked(channels) == [1, 1, 0]

    story(body)


def test_a_member_that_stands_still_is_not_waited_for_long_by_a_read() -> None:
    async def body(connection: Connection, channels: list[Channel], clock: LoopClock) -> None:
        channels[0].after = 1000
        begun = clock.monotonic()
        await ask(connection, repeatable=True)
        assert clock.monotonic() == begun + 3
        for channel in channels:
            channel.after = 1000
        with pytest.raises(Unavailable, match=r"^etcdserver: request timed out$"):
            await ask(connection, repeatable=True)
        assert clock.monotonic() == begun + 13

    story(body)


@pytest.mark.parametrize(
    ("code", "said", "kind"),
    [
        (GrpcCode.OUT_OF_RANGE, "etcdserver: mvcc: required revision has been compacted", Refused),
        (GrpcCode.NOT_FOUND, "etcdserver: requested lease not found", Refused),
        (GrpcCode.INVALID_ARGUMENT, "etcdserver: request is too large", TooLarge),
        (GrpcCode.RESOURCE_EXHAUSTED, "grpc: received message larger than max (20 vs. 10)", TooLarge),
        (GrpcCode.RESOURCE_EXHAUSTED, "etcdserver: mvcc: database space exceeded", Unavailable),
    ],
)
def test_what_etcd_says_of_the_call_is_no_fault_of_the_member(
    code: GrpcCode, said: str, kind: type[StoreError]
) -> None:
    async def body(connection: Connection, channels: list[Channel], clock: LoopClock) -> None:
        channels[0].error = GrpcError(code, said)
        with pytest.raises(kind):
            await ask(connection, repeatable=True)
        assert asked(channels) == [1, 0, 0]
        assert connection.trouble == (said if kind is Unavailable else "")

    story(body)


def test_trouble_is_what_the_latest_call_tells() -> None:
    async def body(connection: Connection, channels: list[Channel], clock: LoopClock) -> None:
        (channel,) = channels
        channel.error = LOST
        with pytest.raises(Unavailable):
            await ask(connection, repeatable=False)
        assert connection.trouble == "etcdserver: the connection is lost"
        channel.after = 5
        async with asyncio.TaskGroup() as tasks:
            slow = tasks.create_task(told(ask(connection, repeatable=False)))
            await clock.sleep(1)
            channel.after, channel.error = 0, None
            await ask(connection, repeatable=False)
            assert connection.trouble == ""
        assert await slow == "etcdserver: the connection is lost"
        assert connection.trouble == "", "what waited since before etcd answered tells nothing new"

    async def told(call: Awaitable[object]) -> str:
        with pytest.raises(Unavailable) as refused:
            await call
        return str(refused.value)

    story(body, servers=1)


@pytest.mark.parametrize("url", ["ftp://a:1", "https://a:1", "http://a"])
def test_servers_that_cannot_be(url: str) -> None:
    with pytest.raises(ValueError):
        Connection([url], None, LoopClock(0))
