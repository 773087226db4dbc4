"""The API server while its etcd is away: what it refuses, what it goes on with, and that it comes back by itself."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from fakes.etcd import Etcd, free_ports, skip_without_etcd
from fakes.served import MAPS, events_of, schemas
from pilothouse.api.catalogue import builtin
from pilothouse.apiserver.server import ApiServer
from pilothouse.client.transport import HandlerTransport
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import SystemClock
from pilothouse.store.etcd.store import EtcdStore

CLOCK = SystemClock()
Ask = Callable[..., Awaitable[tuple[int, Any]]]
Story = Callable[[Ask, HandlerTransport, Etcd], Awaitable[None]]


def run(story: Story) -> None:
    skip_without_etcd()

    async def main(etcd: Etcd) -> None:
        async with (
            CLOCK.timeout(60),
            EtcdStore(etcd.urls, CLOCK) as store,
            ApiServer(store, builtin(), schemas(), CLOCK, Chance(1)) as server,
        ):
            server.assemble()
            transport = HandlerTransport(server.handle, None)

            async def ask(method: str, target: str, name: str = "") -> tuple[int, Any]:
                body = orjson.dumps({"metadata": {"name": name}}) if name else b""
                answer = await transport.send(method, target, {"content-type": "application/json"}, body)
                return answer.status, orjson.loads(answer.body) if answer.body[:1] == b"{" else answer.body

            await story(ask, transport, etcd)

    with Etcd.running() as etcd:
        asyncio.run(main(etcd))


async def until(ask: Ask, status: int, *request: str) -> Any:
    """Ask until the answer has the status."""
    while True:
        found, body = await ask(*request)
        if found == status:
            return body
        await CLOCK.sleep(0.1)


def test_without_its_store_a_server_refuses_writes_and_shows_what_it_knows() -> None:
    async def story(ask: Ask, transport: HandlerTransport, etcd: Etcd) -> None:
        (member,) = etcd.members
        status, made = await ask("POST", MAPS, "a")
        assert status == 201
        at = made["metadata"]["resourceVersion"]
        async with transport.stream("GET", f"{MAPS}?watch=1&resourceVersion={at}", {}) as watch:
            member.kill()
            status, error = await ask("POST", MAPS, "b")
            assert (status, error["reason"]) == (503, "ServiceUnavailable")
            assert error["message"].startswith("etcdserver: ")
            assert "details" not in error, "it may have happened: clients do not repeat it by themselves"
            status, error = await ask("GET", f"{MAPS}/a")
            assert (status, error["reason"]) == (503, "ServiceUnavailable")
            assert await ask("GET", f"{MAPS}/a?resourceVersion=0") == (200, made)
            assert (await ask("GET", f"{MAPS}?resourceVersion={at}"))[0] == 200
            for page in ("/readyz", "/livez"):
                status, text = await ask("GET", page)
                assert (status, b"[-]etcd failed: reason withheld" in text) == (500, True)
            member.start()
            assert await until(ask, 201, "POST", MAPS, "c")
            assert await ask("GET", "/readyz") == (200, b"ok")
            assert [name for _, name, _ in events_of(await anext(aiter(watch.body)))] == ["c"]

    run(story)


def test_what_happened_while_history_was_let_go_is_told_as_a_difference() -> None:
    async def story(ask: Ask, transport: HandlerTransport, etcd: Etcd) -> None:
        (member,), elsewhere = etcd.members, f"http://127.0.0.1:{free_ports(1)[0]}"
        made = {name: (await ask("POST", MAPS, name))[1] for name in ("gone", "kept", "reborn")}
        at = made["kept"]["metadata"]["resourceVersion"]
        async with transport.stream("GET", f"{MAPS}?watch=1&resourceVersion={at}", {}) as watch:
            body = aiter(watch.body)
            assert [name for _, name, _ in events_of(await anext(body))] == ["reborn"]
            member.kill()
            member.start(elsewhere)
            member.wait(elsewhere)
            async with EtcdStore([elsewhere], CLOCK) as other:
                for name in ("gone", "reborn"):
                    looked = await other.get(f"core/configmaps/default/{name}")
                    assert looked is not None
                    found = looked
                    await other.delete(found.key, expected=found.revision)
                await other.create(found.key, found.value)
                await other.create("core/configmaps/default/new", found.value.replace(b"reborn", b"new"))
                await other.compact(await other.revision())
            member.kill()
            member.start()
            listing = await until(ask, 200, "GET", MAPS)
            told: list[tuple[str, str, int]] = []
            while len(told) < 4:
                told += events_of(await anext(body))
        end = int(listing["metadata"]["resourceVersion"])
        assert [item["metadata"]["name"] for item in listing["items"]] == ["kept", "new", "reborn"]
        assert told == [
            ("DELETED", "gone", end - 1), ("DELETED", "reborn", end - 1),
            ("ADDED", "reborn", end - 1), ("ADDED", "new", end),
        ]  # fmt: skip
        async with transport.stream("GET", f"{MAPS}?watch=1&resourceVersion={end - 1}", {}) as late:
            assert b'"reason":"Expired"' in await anext(aiter(late.body))
        assert (await ask("POST", MAPS, "after"))[0] == 201
        async with transport.stream("GET", f"{MAPS}?watch=1&resourceVersion={end}", {}) as resumed:
            assert [name for _, name, _ in events_of(await anext(aiter(resumed.body)))] == ["after"]

    run(story)
