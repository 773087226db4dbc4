"""A channel against gRPC's own server: on demand, again when it is gone, by TLS; refusals tell what was sent."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
import uvloop

from pilothouse.net.grpc_channel import GrpcChannel
from pilothouse.net.grpc_connection import QUIET
from pilothouse.net.grpc_frames import GrpcCode, GrpcError
from pilothouse.net.pki import Authority, Usage
from pilothouse.net.tls import client_context
from pilothouse.runtime.clock import SystemClock

CLOCK = SystemClock()
ECHO, FAIL, STREAM, WAIT = "/test.T/Echo", "/test.T/Fail", "/test.T/Stream", "/test.T/Wait"
LOOPS = pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
Loop = Callable[[], asyncio.AbstractEventLoop]


class StandingClock(SystemClock):
    """Moves when it is told to."""

    passed = 0.0

    def monotonic(self) -> float:
        return self.passed


class Service(grpc.GenericRpcHandler):
    """What the server does."""

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        name = handler_call_details.method.rpartition("/")[2]
        if name == "Stream":
            return grpc.stream_stream_rpc_method_handler(self.stream)
        return grpc.unary_unary_rpc_method_handler(getattr(self, name.lower()))

    async def echo(self, message: bytes, context: Any) -> bytes:
        return message

    async def fail(self, message: bytes, context: Any) -> bytes:
        await context.abort(grpc.StatusCode.OUT_OF_RANGE, message.decode())
        return b""

    async def wait(self, message: bytes, context: Any) -> bytes:
        await asyncio.Event().wait()
        return b""

    async def stream(self, messages: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        told = dict(context.invocation_metadata())
        async for message in messages:
            yield message + b" " + str(told.get("hasleader")).encode()


@asynccontextmanager
async def serving(
    place: int | str = 0, credentials: grpc.ServerCredentials | None = None
) -> AsyncIterator[tuple[int, Any]]:
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1), ("grpc.so_reuseport", 0)]
    server = grpc.aio.server(handlers=[Service()], options=options)
    address = place if isinstance(place, str) else f"localhost:{place}"
    bound = server.add_insecure_port(address) if credentials is None else server.add_secure_port(address, credentials)
    await server.start()
    try:
        yield bound, server
    finally:
        await server.stop(None)


def run(loop: Loop, story: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with CLOCK.timeout(60):
            await story()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(main())


async def failed(call: Awaitable[object]) -> GrpcError:
    with pytest.raises(GrpcError) as found:
        await call
    return found.value


async def use(channel: GrpcChannel) -> None:
    """All that is done with a channel."""
    sent = [b"", b"a", bytes(range(256)) * 20_000]
    assert await asyncio.gather(*(channel.call(ECHO, each, 30) for each in sent)) == sent
    error = await failed(channel.call(FAIL, "nein, 100 % ä".encode(), 30))
    assert (error.code, error.details, error.sent) == (GrpcCode.OUT_OF_RANGE, "nein, 100 % ä", True)
    assert (await failed(channel.call("/test.T/Wait", b"", 0.05))).code is GrpcCode.DEADLINE_EXCEEDED
    stream = await channel.stream(STREAM, (("hasleader", "true"),))
    for message in (b"one", b"two"):
        stream.write(message)
        assert await stream.read() == message + b" true"
    stream.cancel()
    assert (await failed(stream.read())).code is GrpcCode.CANCELLED


@LOOPS
def test_in_plain_text(loop: Loop) -> None:
    async def story() -> None:
        async with serving() as (port, _):
            channel = GrpcChannel(f"localhost:{port}", None, CLOCK)
            await use(channel)
            await channel.close()
            assert not (await failed(channel.call(ECHO, b"", 1))).sent

    run(loop, story)


@LOOPS
def test_by_a_socket_of_this_machine_without_asking_whether_it_lives(loop: Loop, tmp_path: Path) -> None:
    class Timers(SystemClock):
        def __init__(self) -> None:
            self.delays: list[float] = []

        def call_later(self, seconds: float, callback: Callable[[], object]) -> asyncio.TimerHandle:
            self.delays.append(seconds)
            return super().call_later(seconds, callback)

    async def story() -> None:
        clocks = Timers(), Timers()
        async with serving(path := f"unix:{tmp_path}/socket") as (_, _), serving() as (port, _):
            for address, clock in zip((path, f"localhost:{port}"), clocks, strict=True):
                channel = GrpcChannel(address, None, clock)
                await use(channel)
                stream = await channel.stream(STREAM)
                stream.write(b"all", last=True)
                assert [await stream.read(), await stream.read()] == [b"all None", None]
                await channel.close()
        local, remote = ([each for each in clock.delays if each == QUIET] for clock in clocks)
        assert (local, len(remote)) == ([], 1)

    run(loop, story)


@LOOPS
def test_by_tls_with_certificates_of_both(loop: Loop) -> None:
    now = CLOCK.now()
    ours, theirs = Authority.create("ours", now), Authority.create("theirs", now)
    server = theirs.issue("server", dns_names=("localhost",), usage=Usage.SERVER, now=now)
    client = ours.issue("client", usage=Usage.CLIENT, now=now)
    credentials = grpc.ssl_server_credentials([(server.key, server.certificate)], ours.certificate, True)

    async def story() -> None:
        async with serving(credentials=credentials) as (port, _):
            for authority, pair in ((theirs, client), (ours, client), (theirs, None)):
                context = client_context(authority.certificate, pair)
                context.set_alpn_protocols(["h2"])
                channel = GrpcChannel(f"localhost:{port}", context, CLOCK)
                if authority is theirs and pair is client:
                    await use(channel)
                else:
                    error = await failed(channel.call(ECHO, b"", 5))
                    assert (error.code, error.sent) == (GrpcCode.UNAVAILABLE, False)
                await channel.close()

    run(loop, story)


@LOOPS
def test_a_server_that_comes_back_is_found_again(loop: Loop) -> None:
    async def story() -> None:
        clock = StandingClock()
        async with serving() as (port, server):
            channel = GrpcChannel(f"localhost:{port}", None, clock)
            stream = await channel.stream(STREAM)
            waiting = asyncio.gather(*(failed(channel.call(WAIT, b"", 30)) for _ in range(2)))
            assert await channel.call(ECHO, b"a", 30) == b"a"
            await server.stop(None)
            ended = {GrpcCode.UNAVAILABLE, GrpcCode.CANCELLED}  # by whether the server still says so
            assert {each.code for each in await waiting} <= ended
            assert (await failed(stream.read())).code in ended
        error = await failed(channel.call(ECHO, b"", 30))
        assert (error.code, error.sent) == (GrpcCode.UNAVAILABLE, False)
        assert error.details.startswith("failed to connect to all addresses: localhost:")
        async with serving(port):
            assert not (await failed(channel.call(ECHO, b"", 30))).sent, "no time has passed since it was not there"
            clock.passed += 0.2
            assert await channel.call(ECHO, b"b", 30) == b"b"
            await channel.close()

    run(loop, story)


@LOOPS
def test_who_gives_up_while_dialling_leaves_nothing_behind(loop: Loop) -> None:
    async def story() -> None:
        problems: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
        async with serving() as (port, _):
            for turns in range(12):
                channel = GrpcChannel(f"localhost:{port}", None, CLOCK)
                async with asyncio.TaskGroup() as tasks:
                    first, second = (tasks.create_task(channel.call(ECHO, b"a", 30)) for _ in range(2))
                    for _ in range(turns):
                        await CLOCK.sleep(0)
                    first.cancel()
                assert await second == b"a", "the next in line dials"
                assert len(channel._all) == 1
                await channel.close()
        assert problems == []

    run(loop, story)


def test_a_server_that_is_about_to_go_is_asked_by_another_connection() -> None:
    async def story() -> None:
        async with serving() as (port, _):
            channel = GrpcChannel(f"localhost:{port}", None, CLOCK)
            assert await channel.call(ECHO, b"a", 30) == b"a"
            (connection,) = channel._all
            call = asyncio.gather(channel.call(ECHO, b"b", 30))
            await CLOCK.sleep(0)
            connection._take((7, 0, 0, bytes(8)))
            assert list(await call) == [b"b"], "a call that was not looked at is made again"
            assert connection not in channel._all
            await channel.close()

    run(asyncio.new_event_loop, story)


def test_a_server_that_does_not_speak_is_not_waited_for_longer_than_the_call_may_take() -> None:
    async def story() -> None:
        async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        server = await asyncio.start_server(mute, "localhost", 0)
        channel = GrpcChannel(f"localhost:{server.sockets[0].getsockname()[1]}", None, CLOCK)
        error = await failed(channel.call(ECHO, b"", 0.05))
        assert (error.code, error.sent) == (GrpcCode.UNAVAILABLE, False)
        await channel.close()
        server.close()
        await server.wait_closed()

    run(asyncio.new_event_loop, story)


@pytest.mark.parametrize("address", ["localhost", "localhost:", ":2379", "localhost:http", "unix:"])
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(ValueError, match="an address is a host and a port"):
        GrpcChannel(address, None, CLOCK)
