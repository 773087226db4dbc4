"""The gRPC server answers a real client as health.v1 says."""

import threading
from collections.abc import Callable, Iterator

import grpc
import pytest

from contract_images.agnhost.commands.grpc_health_checking import Health
from contract_images.agnhost.grpc_server import serve
from contract_images.agnhost.web import Request, listen

CHECK, WATCH = "/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"
SERVING, NOT_SERVING = b"\x08\x01", b"\x08\x02"
NOTHING = Request("GET", "/", {}, b"", "")


class _Now:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def now() -> _Now:
    return _Now()


@pytest.fixture
def health(now: _Now) -> Health:
    return Health("service", 5, now)


@pytest.fixture
def channel(health: Health) -> Iterator[grpc.Channel]:
    taking = listen(0, "127.0.0.1")
    thread = threading.Thread(target=serve, args=(taking, health.answer))
    thread.start()
    with grpc.insecure_channel(f"127.0.0.1:{taking.getsockname()[1]}") as made:
        yield made
    taking.shutdown(2)
    taking.close()
    thread.join()


def _call(channel: grpc.Channel, method: str) -> Callable[[bytes], bytes]:
    call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method)
    return call


def test_it_is_well_until_its_time_is_over(channel: grpc.Channel, now: _Now) -> None:
    check = _call(channel, CHECK)
    assert [check(b"\x0a\x07service") for _ in range(3)] == [SERVING] * 3
    now.seconds = 5.0
    assert check(b"\x0a\x07service") == NOT_SERVING


def test_it_is_as_well_as_it_is_told(health: Health, channel: grpc.Channel) -> None:
    check = _call(channel, CHECK)
    assert health.routes["/make-not-serving"](NOTHING).status == 200
    assert check(b"\x0a\x07service") == NOT_SERVING
    health.routes["/make-serving"](NOTHING)
    assert check(b"\x0a\x07service") == SERVING


@pytest.mark.parametrize(
    ("method", "message", "code", "words"),
    [
        (CHECK, b"", grpc.StatusCode.NOT_FOUND, "unknown service"),
        (CHECK, b"\x0a\x02no", grpc.StatusCode.NOT_FOUND, "unknown service"),
        (CHECK, b"\x0f", grpc.StatusCode.INVALID_ARGUMENT, "malformed request"),
        (WATCH, b"", grpc.StatusCode.UNIMPLEMENTED, "unimplemented"),
        ("/other.Service/Method", b"", grpc.StatusCode.UNIMPLEMENTED, "unimplemented"),
    ],
)
def test_other_calls_fail(
    method: str, message: bytes, code: grpc.StatusCode, words: str, channel: grpc.Channel
) -> None:
    with pytest.raises(grpc.RpcError) as failed:
        _call(channel, method)(message)
    assert (failed.value.code(), failed.value.details()) == (code, words)


def test_a_long_service_name_is_read(now: _Now) -> None:
    name = "x" * 300
    assert Health(name, -1, now).answer(CHECK, b"\x0a\xac\x02" + name.encode()) == (0, SERVING)
