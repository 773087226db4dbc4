"""What clients are told when the store's disk is full or fails, or when we fail ourselves."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest

from fakes.faulty_disk import COMMIT, FaultyDisk
from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.schema import Schemas
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.handlers.recover import recover
from pilothouse.apiserver.request_info import parse_request_info
from pilothouse.apiserver.server import ApiServer
from pilothouse.apiserver.user import User
from pilothouse.client.transport import Answer, HandlerTransport
from pilothouse.net.http import Peer, Request, Response
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import SystemClock
from pilothouse.store.interface import StoreError, TooLarge, Unavailable
from pilothouse.store.sqlite import SqliteStore

MAPS = "/api/v1/namespaces/default/configmaps"
Ask = Callable[..., Awaitable[tuple[int, Any, Answer]]]


@cache
def schemas() -> Schemas:
    return Schemas()


def run(path: Path, disk: FaultyDisk, story: Callable[[Ask], Awaitable[None]]) -> None:
    clock = SystemClock()

    async def main() -> None:
        async with (
            clock.timeout(60),
            SqliteStore(path, clock, connect=disk.connect) as store,
            ApiServer(store, builtin(), schemas(), clock, Chance(1)) as server,
        ):
            server.assemble()
            transport = HandlerTransport(server.handle, None)

            async def ask(method: str, target: str, body: Any = None) -> tuple[int, Any, Answer]:
                kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
                sent = b"" if body is None else orjson.dumps(body)
                answer = await transport.send(method, target, {"content-type": kind}, sent)
                return answer.status, orjson.loads(answer.body), answer

            await story(ask)

    asyncio.run(main())


def config_map(name: str) -> dict[str, Any]:
    return {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": name}}


def refusal(message: str) -> dict[str, Any]:
    return {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
        "reason": "ServiceUnavailable", "code": 503,
    }  # fmt: skip


def test_a_full_disk_refuses_writes_and_answers_reads(tmp_path: Path) -> None:
    disk = FaultyDisk()

    async def story(ask: Ask) -> None:
        _, made, _ = await ask("POST", MAPS, config_map("a"))
        disk.fail(COMMIT, sqlite3.SQLITE_FULL)
        for method, target, body in (
            ("POST", MAPS, config_map("b")),
            ("PUT", f"{MAPS}/a", config_map("a") | {"data": {"k": "1"}}),
            ("PATCH", f"{MAPS}/a", {"data": {"k": "1"}}),
            ("DELETE", f"{MAPS}/a", None),
        ):
            status, error, answer = await ask(method, target, body)
            why = "the write was not stored: the disk that holds the cluster's state is full"
            assert (status, error) == (503, refusal(why)), method
            assert "retry-after" not in answer.headers, "clients would send the write again by themselves"
        assert (await ask("GET", f"{MAPS}/a"))[:2] == (200, made)
        _, listed, _ = await ask("GET", MAPS)
        assert [item["metadata"]["name"] for item in listed["items"]] == ["a"]
        disk.heal()
        assert (await ask("POST", MAPS, config_map("b")))[0] == 201
        status, changed, _ = await ask("PATCH", f"{MAPS}/a", {"data": {"k": "1"}})
        assert (status, changed["data"]) == (200, {"k": "1"})

    run(tmp_path / "state.db", disk, story)


def test_a_failed_disk_ends_the_server_and_the_next_one_starts(tmp_path: Path) -> None:
    path, disk = tmp_path / "state.db", FaultyDisk()
    told: list[str] = []

    async def fails(ask: Ask) -> None:
        await ask("POST", MAPS, config_map("a"))
        disk.fail(COMMIT, sqlite3.SQLITE_IOERR_FSYNC)
        status, error, _ = await ask("POST", MAPS, config_map("b"))
        assert (status, error["reason"]) == (503, "ServiceUnavailable")
        told.append(error["message"])
        status, error, answer = await ask("GET", f"{MAPS}/a")
        assert (status, error["reason"]) == (503, "ServiceUnavailable")
        assert answer.headers["retry-after"] == "1", "the next server may know"
        await asyncio.get_running_loop().create_future()

    async def works(ask: Ask) -> None:
        _, listed, _ = await ask("GET", MAPS)
        assert [item["metadata"]["name"] for item in listed["items"]] == ["a"]
        assert (await ask("POST", MAPS, config_map("b")))[0] == 201

    with pytest.raises(ExceptionGroup) as ended:
        run(path, disk, fails)
    assert ended.group_contains(Unavailable)
    assert told == ["the store is closed: the disk that holds the cluster's state failed"]
    disk.heal()
    run(path, disk, works)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_fault_of_ours_is_told_without_its_reason_and_logged_with_it(
    method: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def crash(exchange: Exchange) -> Response:
        raise RuntimeError("a secret")

    request = Request(method, MAPS, {}, Peer(""))
    exchange = Exchange(request, parse_request_info(method, MAPS), 0.0, User("me"))
    answer = asyncio.run(recover(exchange, crash))
    assert isinstance(answer.body, bytes)
    error = orjson.loads(answer.body)
    assert (answer.status, error["reason"]) == (500, "InternalError")
    assert error["message"].endswith(f"RuntimeError while serving {method} {MAPS}")
    assert "a secret" not in error["message"]
    assert "RuntimeError: a secret" in caplog.text


def test_what_the_store_finds_too_large_is_told_so() -> None:
    async def refuse(exchange: Exchange) -> Response:
        raise TooLarge("etcdserver: request is too large")

    request = Request("POST", MAPS, {}, Peer(""))
    answer = asyncio.run(recover(Exchange(request, parse_request_info("POST", MAPS), 0.0, User("me")), refuse))
    assert isinstance(answer.body, bytes)
    error = orjson.loads(answer.body)
    assert (answer.status, error["reason"]) == (413, "RequestEntityTooLarge")
    assert error["message"] == "etcdserver: request is too large"


def test_whatever_else_the_store_says_is_no_fault_of_ours() -> None:
    async def refuse(exchange: Exchange) -> Response:
        raise StoreError("etcdserver: requested lease not found")

    request = Request("POST", MAPS, {}, Peer(""))
    answer = asyncio.run(recover(Exchange(request, parse_request_info("POST", MAPS), 0.0, User("me")), refuse))
    assert isinstance(answer.body, bytes)
    error = orjson.loads(answer.body)
    assert (answer.status, error["reason"]) == (503, "ServiceUnavailable")
    assert error["message"] == "etcdserver: requested lease not found"
