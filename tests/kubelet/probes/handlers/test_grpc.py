"""Outcomes and messages of upstream's pkg/probe/grpc, against real servers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import pytest

from kubelet.probes.asking import means, target
from kubelet.web import unused_port
from pilothouse.kubelet.probes.handler import Answer, Outcome
from pilothouse.kubelet.probes.handlers.grpc import GrpcHandler

Check = Callable[[bytes, grpc.aio.ServicerContext[Any, Any]], Awaitable[bytes]]


@asynccontextmanager
async def _server(check: Check, service: str = "grpc.health.v1.Health") -> AsyncIterator[int]:
    """A gRPC server whose Check sees and gives bytes."""
    server = grpc.aio.server()
    handler: Any = grpc.unary_unary_rpc_method_handler(check)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"Check": handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield port
    finally:
        await server.stop(None)


def _ask(check: Check, service: str = "", offered: str = "grpc.health.v1.Health") -> tuple[Answer, int]:
    async def main() -> tuple[Answer, int]:
        async with _server(check, offered) as port:
            return await GrpcHandler(means()).ask(target(grpc={"port": port, "service": service})), port

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("raw", "answer"),
    [
        (b"\x08\x01", Answer(Outcome.SUCCESS, "service healthy")),
        (b"", Answer(Outcome.FAILURE, 'service unhealthy (responded with "UNKNOWN")')),
        (b"\x08\x02", Answer(Outcome.FAILURE, 'service unhealthy (responded with "NOT_SERVING")')),
        (b"\x08\x03", Answer(Outcome.FAILURE, 'service unhealthy (responded with "SERVICE_UNKNOWN")')),
        (b"\x08\x09", Answer(Outcome.FAILURE, 'service unhealthy (responded with "9")')),
        (b"\x08\x01\x12\x01x", Answer(Outcome.SUCCESS, "service healthy")),
    ],
)
def test_the_status_decides(raw: bytes, answer: Answer) -> None:
    async def check(question: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
        return raw

    assert _ask(check)[0] == answer


def test_the_service_is_asked_for_by_name() -> None:
    seen: list[Any] = []

    async def check(question: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
        seen.append((question, str(dict(context.invocation_metadata() or ()).get("user-agent")).split()[0]))
        return b"\x08\x01"

    assert _ask(check, "db")[0].outcome is Outcome.SUCCESS
    assert seen == [(b"\x0a\x02db", "kube-probe/1.37")]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (grpc.StatusCode.NOT_FOUND, "error: health rpc probe failed: rpc error: code = NotFound desc = no such"),
        (
            grpc.StatusCode.UNIMPLEMENTED,
            "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): no such",
        ),
    ],
)
def test_errors_of_the_server(code: grpc.StatusCode, words: str) -> None:
    async def check(question: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
        await context.abort(code, "no such")
        return b""

    assert _ask(check)[0] == Answer(Outcome.FAILURE, words)


def test_a_server_without_the_protocol() -> None:
    async def check(question: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
        return b""

    found, _ = _ask(check, offered="other.Service")
    assert found.output.startswith("error: this server does not implement the grpc health protocol")


def test_a_server_that_does_not_answer() -> None:
    async def check(question: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
        await asyncio.Event().wait()
        return b""

    assert _ask(check)[0] == Answer(Outcome.FAILURE, "timeout: health rpc did not complete within 1s")


def test_nobody_listens() -> None:
    async def main() -> None:
        port = await unused_port()
        found = await GrpcHandler(means()).ask(target(grpc={"port": port, "service": ""}))
        why = f'timeout: failed to connect service "127.0.0.1:{port}" within 1s: context deadline exceeded'
        assert found == Answer(Outcome.FAILURE, why)

    asyncio.run(main())
