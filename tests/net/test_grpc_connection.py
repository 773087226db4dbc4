"""A connection of gRPC against another's HTTP/2: calls, room both ways, ends of every kind, and time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import h2.errors
import h2.events
import h2.settings
import pytest

from fakes.grpc_server import GRPC, FarEnd
from pilothouse.net.grpc_connection import GrpcConnection
from pilothouse.net.grpc_frames import GrpcCode, GrpcError, head, prefixed
from pilothouse.net.grpc_stream import WINDOW
from pilothouse.net.http2_frames import frame
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock, SystemClock
from pilothouse.testing.loop import run

HEAD = head("/etcdserverpb.KV/Range", "etcd.example:2379", "http")
Story = Callable[[FarEnd, GrpcConnection, LoopClock, asyncio.TaskGroup], Awaitable[None]]


def story(body: Story, **far: Any) -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        end = FarEnd(clock, **far)
        async with asyncio.TaskGroup() as tasks:
            await end.connection.ready
            await body(end, end.connection, clock, tasks)
            end.connection.abort()
        await end.connection.lost
        assert end.late == 0

    run(main)


async def settled() -> None:
    """Let everybody say what they have to."""
    for _ in range(5):
        await SystemClock().sleep(0)


async def failed(call: Awaitable[object]) -> GrpcError:
    with pytest.raises(GrpcError) as found:
        await call
    return found.value


@pytest.mark.parametrize("cut", [1, 7, 1 << 20])
def test_a_call_and_its_answer(cut: int) -> None:
    async def body(end: FarEnd, connection: GrpcConnection, clock: LoopClock, tasks: asyncio.TaskGroup) -> None:
        call = tasks.create_task(connection.call(HEAD, b"question", 2.5))
        await settled()
        assert end.heads[1] == {
            ":method": "POST", ":scheme": "http", ":path": "/etcdserverpb.KV/Range", ":authority": "etcd.example:2379",
            "content-type": "application/grpc", "te": "trailers", "user-agent": "pilothouse", "grpc-timeout": "2500m",
        }  # fmt: skip
        assert end.bodies[1] == prefixed(b"question")
        assert end.ended == [1]
        end.answer(1, b"answer")
        assert await call == b"answer"
        assert not end.of(h2.events.StreamReset)

    story(body, cut=cut)


def test_calls_are_answered_in_any_order_and_leave_together() -> None:
    async def body(end: FarEnd, connection: GrpcConnection, clock: LoopClock, tasks: asyncio.TaskGroup) -> None:
        writes = 0
        write = end.write

        def counted(data: bytes | bytearray | memoryview) -> None:
            nonlocal writes
            writes += 1
            write(data)

        end.write = counted  # type: ignore[method-assign]
        calls = [tasks.create_task(connection.call(HEAD, b"%d" % n, 5)) for n in range(10)]
        await settled()
        assert writes == 1
        for number in reversed(list(end.bodies)):
            end.answer(number, bytes(end.bodies[number][5:]))
        assert [await call for call in calls] == [b"%d" % n for n in range(10)]

    story(body)


def test_large_messages_wait_for_room() -> None:
    async def body(end: FarEnd, connection: GrpcConnection, clock: LoopClock, tasks: asyncio.TaskGroup) -> None:
        question = bytes(range(256)) * 2000
        call = tasks.create_task(connection.call(HEAD, question, 5))
        await settled()
        assert len(end.bodies[1]) == 65535, "the room of a fresh connection"
        other = tasks.create_task(connection.call(HEAD, b"small", 5))
        await settled()
        assert end.bodies[3] == b"", "there is no room for anybody"
        end.withhold = False
        end.engine.acknowledge_received_data(65535, 1)
        end.deliver()
        while 1 not in end.ended or 3 not in end.ended:
            await settled()
        assert end.bodies[1] == prefixed(question)
        answer = bytes(range(256)) * 12_000
        end.engine.send_headers(1, GRPC)
        rest = prefixed(answer)
        while rest:
            room = min(end.engine.local_flow_control_window(1), 16384)
            assert room, "more may come before the message is whole"
            end.engine.send_data(1, rest[:room])
            rest = rest[room:]
            end.deliver()
            await settled()
        end.engine.send_headers(1, [("grpc-status", "0")], end_stream=True)
        end.deliver()
        assert await call == answer
        end.answer(3, b"")
        assert await other == b""

    story(body, withhold=True)


def test_the_room_of_streams_that_run_may_change() -> None:
    async def body(end: FarEnd, connection: GrpcConnection, clock: LoopClock, tasks: asyncio.TaskGroup) -> None:
        call = tasks.create_task(connection.call(HEAD, b"0123456789", 5))
        await settled()
        assert end.bodies[1] == prefixed(b"0123456789")[:8]
        end.engine.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 100})
        end.deliver()
        await settled()
        assert end.ended == [1]
        end.answer(1, b"")
        await call

    story(body, settings={h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 8}, withhold=True)


def test_a_reader_that_does_not_read_stops_the_stream() -> None:
    async def body(end: FarEnd, connection: GrpcConnection, clock: LoopClock, tasks: asyncio.TaskGroup) -> None:
        stream = await connection.stream(HEAD)
        stream.write(b"watch")
        await settled()
        assert "grpc-timeout" not in end.heads[1]
        assert end.ended == []
        end.engine.send_headers(1, GRPC)
        message = bytes(1000)
        sent = 0
        while end.engine.local_flow_control_window(1) >= 1005:
            end.say(1, message)
            sent += 1
            await settled()
        assert 1000 < sent <= WINDOW // 1005
        for _ in range(sent):
            assert await stream.read() == message
        await settled()
        assert end.engine.local_flow_control_window(1) > WINDOW // 2
        end.engine.send_headers(1, [("grpc-status", "0")], end_stream=True)
        end.deliver()
        assert await stream.read() is None

    story(body)


@pytest.mark.parametrize(
    ("fields", "code", "details"),
    [
        ([("grpc-status", "11"), ("grpc-message", "a%20revision%3A %C3%A4")], GrpcCode.OUT_OF_RANGE, "a revision: ä"),
        ([("grpc-status", "99"), ("grpc-message", "odd")], GrpcCode.UNKNOWN, "odd"),
        ([("grpc-message", "odd")], GrpcCode.UNAVAILABLE, "an answer that is not gRPC's, of HTTP status 200"),
    ],
)
def test_failures_that_are_told(fields: list[tuple[str, str]], code: GrpcCode, details: str) -> None:
    async def body(end: FarEnd, connection: GrpcConnection, clock: LoopClock, tasks: asyncio.TaskGroup) -> None:
        for number in (1, 3):  # the second time it is known what the head means
            call = tasks.create_task(failed(connection.call(HEAD, b"", 5)))
            await settled()
            end.engine.send_headers(number, [*GRPC, *fields], end_stream=True)
            end.deliver()
            error = await call
            assert (error.code, error.details, error.sent) == (code, details, True)

    story(body)


def test_who_answers_is_not_a_grpc_server() -> None:
    async def body(end: FarEnd, connection: GrpcConnection, clock: LoopClock, tasks: asyncio.TaskGroup) -> None:
        call = tasks.create_task(failed(connection.call(HEAD, b"", 5)))
        await settled()
        end.engine.send_headers(1, [(":status", "503"), ("content-type", "text/html")])
        end.engine.send_data(1, b"<html>")
        end.deliver()
        error = await call
        assert error.code is GrpcCode.UNAVAILABLE
        assert error.details == "an answer that is not gRPC's, of HTTP status 503"

    story(body)


def test_an_early_refusal_ends_what_is_still_being_sent() -> None:
    async def body(end: FarEnd, connection: GrpcConnection, clock: LoopClock, tasks: asyncio.TaskGroup) -> None:
        call = tasks.create_task(failed(connection.call(HEAD, bytes(100_000), 5)))
        await settled()
        end.answer(1, status=8, text="larger than max")
        assert (await call).code is GrpcCode.RESOURCE_EXHAUSTED
        await settled()
        assert [each.stream_id for each in end.of(h2.events.StreamReset)] == [1]

    story(body, withhold=True)


@pytest.mark.parametrize(("reason", "sent"), [(h2.errors.ErrorCodes.REFUSED_STREAM, False), (2, True)])
def test_a_reset_tells_whether_anything_was_done(reason: int, sent: bool) -> None:
    async def body(end: FarEnd, connection: GrpcConnection, clock: LoopClock, tasks: asyncio.TaskGroup) -> None:
        call = tasks.create_task(failed(connection.call(HEAD, b"", 5)))
        await settled()
        end.engine.reset_stream(1, reason)
        end.deliver()
        error = await call
        assert (error.code, error.sent) == (GrpcCode.UNAVAILABLE, sent)

    story(body)


def test_a_farewell_fails_what_was_not_looked_at_and_serves_the_rest() -> None:
    async def body(end: FarEnd, connection: GrpcConnection, clock: LoopClock, tasks: asyncio.TaskGroup) -> None:
        first = tasks.create_task(connection.call(HEAD, b"", 5))
        await settled()
        second = tasks.create_task(failed(connection.call(HEAD, b"", 5)))
        await settled()
        end.arrive(frame(7, 0, 0, (1).to_bytes(4, "big") + bytes(4)))
        assert not (await second).sent
        assert connection.retired
        assert not (await failed(connection.call(HEAD, b"", 5))).sent
        assert not end.gone
        end.answer(1, b"done")
        assert await first == b"done"
        await connection.lost
        assert end.gone

    story(body)


def test_time_that_is_over() -> None:
    async def body(end: FarEnd, connection: GrpcConnection, clock: LoopClock, tasks: asyncio.TaskGroup) -> None:
        slow = tasks.create_task(connection.call(HEAD, b"", 3))
        await settled()
        for seconds in (1, 2):
            begun = clock.monotonic()
            assert (await failed(connection.call(HEAD, b"", seconds))).code is GrpcCode.DEADLINE_EXCEEDED
            assert clock.monotonic() == pytest.approx(begun + seconds)
            if seconds == 1:
                end.answer(1, b"slow")
                assert await slow == b"slow"
        await settled()
        assert [each.stream_id for each in end.of(h2.events.StreamReset)] == [3, 5]

    story(body)


def test_a_connection_that_was_silent_when_time_was_over_takes_no_more_calls() -> None:
    async def body(end: FarEnd, connection: GrpcConnection, clock: LoopClock, tasks: asyncio.TaskGroup) -> None:
        assert (await failed(connection.call(HEAD, b"", 1))).code is GrpcCode.DEADLINE_EXCEEDED
        assert not connection.retired, "it was heard of a second ago"
        assert (await failed(connection.call(HEAD, b"", 3))).code is GrpcCode.DEADLINE_EXCEEDED
        assert connection.retired

    story(body)


def test_a_caller_that_leaves_is_told_of() -> None:
    async def body(end: FarEnd, connection: GrpcConnection, clock: LoopClock, tasks: asyncio.TaskGroup) -> None:
        call = tasks.create_task(connection.call(HEAD, b"", 5))
        await settled()
        call.cancel()
        await settled()
        assert [each.stream_id for each in end.of(h2.events.StreamReset)] == [1]

    story(body)


def test_an_answer_that_nobody_waits_for_any_more_harms_nobody() -> None:
    async def body(end: FarEnd, connection: GrpcConnection, clock: LoopClock, tasks: asyncio.TaskGroup) -> None:
        left, stays = (tasks.create_task(connection.call(HEAD, b"", 5)) for _ in range(2))
        await settled()
        end.engine.send_headers(1, [*GRPC, ("new", "field")])
        end.engine.send_data(1, prefixed(b"late"))
        left.cancel()
        end.deliver()
        await settled()
        end.answer(3, b"mine")
        assert await stays == b"mine"

    story(body)


def test_no_more_calls_at_once_than_are_taken() -> None:
    async def body(end: FarEnd, connection: GrpcConnection, clock: LoopClock, tasks: asyncio.TaskGroup) -> None:
        calls = [tasks.create_task(connection.call(HEAD, b"", 5)) for _ in range(3)]
        await settled()
        assert list(end.heads) == [1]
        end.answer(1, b"a")
        await settled()
        assert list(end.heads) == [1, 3]
        assert (await failed(connection.call(HEAD, b"", 1))).sent is False
        end.answer(3, b"b")
        await settled()
        end.answer(5, b"c")
        assert sorted([await call for call in calls]) == [b"a", b"b", b"c"]

    story(body, settings={h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 1})


def test_a_dead_connection_is_found_out_while_a_watch_is_open() -> None:
    async def body(end: FarEnd, connection: GrpcConnection, clock: LoopClock, tasks: asyncio.TaskGroup) -> None:
        stream = await connection.stream(HEAD)
        await clock.sleep(65)
        assert len(end.of(h2.events.PingReceived)) == 6, "a sign of life is asked for when all is silent"
        assert not end.gone
        end.deaf = True
        error = await failed(stream.read())
        assert error.code is GrpcCode.UNAVAILABLE
        assert "dead" in error.details

    story(body)


def test_an_idle_connection_asks_nothing() -> None:
    async def body(end: FarEnd, connection: GrpcConnection, clock: LoopClock, tasks: asyncio.TaskGroup) -> None:
        await clock.sleep(600)
        assert end.of(h2.events.PingReceived) == []
        assert not end.gone

    story(body)


def test_an_end_fails_everything_that_is_open() -> None:
    async def body(end: FarEnd, connection: GrpcConnection, clock: LoopClock, tasks: asyncio.TaskGroup) -> None:
        stream = await connection.stream(HEAD)
        call = tasks.create_task(failed(connection.call(HEAD, b"", 5)))
        await settled()
        end.abort()
        error = await call
        assert (error.code, error.sent) == (GrpcCode.UNAVAILABLE, True)
        assert (await failed(stream.read())).code is GrpcCode.UNAVAILABLE
        with pytest.raises(GrpcError):
            stream.write(b"")

    story(body)


@pytest.mark.parametrize("announced", [True, False])
def test_nothing_is_written_to_a_connection_that_is_ending(announced: bool) -> None:
    async def body(end: FarEnd, connection: GrpcConnection, clock: LoopClock, tasks: asyncio.TaskGroup) -> None:
        early = tasks.create_task(failed(connection.call(HEAD, b"", 5)))
        await settled()
        if announced:
            connection.eof_received()
        late = asyncio.gather(failed(connection.call(HEAD, b"", 5)))
        await clock.sleep(0)
        end.close()
        assert (await early).sent
        (error,) = await late
        assert (error.code, error.sent) == (GrpcCode.UNAVAILABLE, not announced)

    story(body)


def test_only_calls_that_last_are_moved() -> None:
    async def body(end: FarEnd, connection: GrpcConnection, clock: LoopClock, tasks: asyncio.TaskGroup) -> None:
        stream = await connection.stream(HEAD)
        call = tasks.create_task(connection.call(HEAD, b"", 5))
        await settled()
        connection.end_lasting(GrpcError(GrpcCode.UNAVAILABLE, "moved"))
        assert (await failed(stream.read())).details == "moved"
        end.answer(3, b"stayed")
        assert await call == b"stayed"

    story(body)


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x40\x01\x00\x00\x00\x00\x00\x01",
        frame(5, 4, 1, b"\x00\x00\x00\x02\x88"),
        frame(9, 4, 1, b"\x88"),
        frame(1, 0, 1, b"\x88") + frame(0, 0, 1, b""),
        frame(1, 4, 1, b"\xff\xff\xff"),
        frame(0, 8, 1, b"\x09"),
        frame(0, 0, 1, b"\x01\x00\x00\x00\x01a"),
        frame(8, 0, 0, b"\x00"),
        frame(4, 0, 0, b"\x00"),
    ],
    ids=["large", "push", "continuation", "inside", "hpack", "padding", "compressed", "update", "settings"],
)
def test_what_is_not_http2_ends_the_connection(data: bytes) -> None:
    async def body(end: FarEnd, connection: GrpcConnection, clock: LoopClock, tasks: asyncio.TaskGroup) -> None:
        call = tasks.create_task(failed(connection.call(HEAD, b"", 5)))
        await settled()
        end.arrive(data)
        error = await call
        assert error.details.startswith("the connection is broken: ")
        await connection.lost

    story(body)
