"""Several API servers on one etcd are one cluster."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest

from fakes.etcd import Etcd, new_prefix
from fakes.served_cluster import Keys
from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.schema import Schemas
from pilothouse.apiserver.allocation.services import ServiceAllocation
from pilothouse.apiserver.config import EtcdConfig
from pilothouse.apiserver.main import run as run_server
from pilothouse.apiserver.server import ApiServer
from pilothouse.client.transport import HandlerTransport
from pilothouse.net.server import Listening
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import SystemClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.store.etcd.store import EtcdStore

MAPS = "/api/v1/namespaces/default/configmaps"
SERVICES = "/api/v1/namespaces/default/services"
JSON = {"content-type": "application/json"}
Run = Callable[[Callable[["Api", "Api"], Awaitable[None]]], None]


@cache
def schemas() -> Schemas:
    return Schemas()


class Api:
    def __init__(self, server: ApiServer, etcd: Etcd) -> None:
        self.etcd = etcd
        self.transport = HandlerTransport(server.handle, None)

    async def ask(self, method: str, target: str, body: Any = None) -> tuple[int, Any]:
        answer = await self.transport.send(method, target, JSON, b"" if body is None else orjson.dumps(body))
        return answer.status, orjson.loads(answer.body)

    async def make(self, name: str) -> Any:
        status, made = await self.ask("POST", MAPS, {"metadata": {"name": name}})
        assert status == 201, made
        return made

    async def watch(self, after: str, count: int) -> list[tuple[str, str, str]]:
        """The first `count` events after a resourceVersion."""
        found: list[tuple[str, str, str]] = []
        target = f"{MAPS}?watch=1&resourceVersion={after}"
        async with self.transport.stream("GET", target, {}) as answer:
            pieces: AsyncIterator[bytes] = answer.body
            async for piece in pieces:
                for event in map(orjson.loads, piece.splitlines()):
                    metadata = event["object"]["metadata"]
                    found.append((event["type"], metadata.get("name", ""), metadata.get("resourceVersion", "")))
                if len(found) >= count:
                    return found
        raise AssertionError(found)


@pytest.fixture
def run(etcd: Etcd) -> Run:
    """Runs a story on two servers, each with its own connection."""

    def runs(story: Callable[[Api, Api], Awaitable[None]]) -> None:
        async def scenario() -> None:
            clock, prefix = SystemClock(), new_prefix()
            async with clock.timeout(60), AsyncExitStack() as stack:
                apis: list[Api] = []
                for seed in (1, 1):
                    store = await stack.enter_async_context(EtcdStore(etcd.urls, clock, prefix=prefix))
                    made = ApiServer(store, builtin(), schemas(), clock, Chance(seed))
                    server = await stack.enter_async_context(made)
                    pools = ServiceAllocation(server.cache, ("10.96.0.0/24",), (30000, 30100), Chance(seed))
                    server.assemble(allocate=pools.allocate)
                    apis.append(Api(server, etcd))
                await story(*apis)

        asyncio.run(scenario())

    return runs


def test_what_one_acknowledged_the_other_reads_at_once(run: Run) -> None:
    async def story(one: Api, other: Api) -> None:
        for n in range(20):
            made = await one.make(f"a{n}")
            assert await other.ask("GET", f"{MAPS}/a{n}") == (200, made)
            status, listing = await other.ask("GET", MAPS)
            assert [item["metadata"]["name"] for item in listing["items"]] == sorted(f"a{k}" for k in range(n + 1))
            status, _ = await other.ask("DELETE", f"{MAPS}/a{n}")
            assert status == 200
            assert (await one.ask("GET", f"{MAPS}/a{n}"))[0] == 404
            await other.make(f"a{n}")

    run(story)


def test_an_update_of_what_the_other_changed_is_a_conflict(run: Run) -> None:
    async def story(one: Api, other: Api) -> None:
        made = await one.make("a")
        status, changed = await other.ask("PUT", f"{MAPS}/a", made | {"data": {"k": "1"}})
        assert status == 200
        status, error = await one.ask("PUT", f"{MAPS}/a", made | {"data": {"k": "2"}})
        assert (status, error["reason"]) == (409, "Conflict")
        assert (await one.ask("POST", MAPS, {"metadata": {"name": "a"}}))[0] == 409
        assert await one.ask("GET", f"{MAPS}/a") == (200, changed)

    run(story)


def test_a_watch_moves_to_the_other_server_and_loses_nothing(run: Run) -> None:
    async def story(one: Api, other: Api) -> None:
        start = (await one.make("first"))["metadata"]["resourceVersion"]

        async def write() -> None:
            for n in range(60):
                await (one, other)[n % 2].make(f"m{n:02}")

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(write())
            told: list[tuple[str, str, str]] = []
            servers = [one, other]
            while len(told) < 60:
                told += await servers[0].watch(told[-1][2] if told else start, min(7, 60 - len(told)))
                servers.reverse()
        assert [name for _, name, _ in told] == [f"m{n:02}" for n in range(60)]

    run(story)


def test_a_revision_that_passed_without_a_write_of_ours_is_reached(run: Run) -> None:
    async def story(one: Api, other: Api) -> None:
        await one.make("a")
        async with EtcdStore(one.etcd.urls, SystemClock(), prefix=new_prefix()) as foreign:
            await foreign.create("/x", b"")
        status, listing = await one.ask("GET", MAPS)
        assert status == 200
        at = listing["metadata"]["resourceVersion"]
        assert (await other.ask("GET", f"{MAPS}?resourceVersion={at}"))[0] == 200

    run(story)


def test_no_address_and_no_port_is_given_away_twice(run: Run) -> None:
    async def story(one: Api, other: Api) -> None:
        def service(name: str) -> dict[str, Any]:
            return {"metadata": {"name": name}, "spec": {"type": "NodePort", "ports": [{"port": 80}]}}

        asked = [
            api.ask("POST", SERVICES, service(f"s{n}-{m}")) for n, api in enumerate((one, other)) for m in range(30)
        ]
        answers = await asyncio.gather(*asked)
        assert [status for status, _ in answers] == [201] * 60
        specs = [made["spec"] for _, made in answers]
        assert len({spec["clusterIP"] for spec in specs}) == 60, "both choose by the same chance"
        assert len({spec["ports"][0]["nodePort"] for spec in specs}) == 60

        wanted = {"clusterIP": specs[0]["clusterIP"], "ports": [{"port": 1}]}
        status, error = await other.ask("POST", SERVICES, {"metadata": {"name": "x"}, "spec": wanted})
        assert (status, error["reason"]) == (422, "Invalid")

    run(story)


def test_names_are_taken_once(run: Run) -> None:
    async def story(one: Api, other: Api) -> None:
        asked = [api.ask("POST", MAPS, {"metadata": {"name": f"n{n}"}}) for n in range(20) for api in (one, other)]
        statuses = [status for status, _ in await asyncio.gather(*asked)]
        assert sorted(statuses) == [201] * 20 + [409] * 20

    run(story)


async def names_both(store: EtcdStore) -> bool:
    found = await store.get("core/endpoints/default/kubernetes")
    return found is not None and b'"192.0.2.1"' in found.value and b'"192.0.2.2"' in found.value


def test_two_that_begin_at_once_make_one_cluster(etcd: Etcd, tmp_path: Path) -> None:
    keys, clock, prefix = Keys.new(), SystemClock(), new_prefix()
    common = replace(keys.config(tmp_path), etcd=EtcdConfig(servers=tuple(etcd.urls), prefix=prefix))

    async def main() -> None:
        ready: asyncio.Queue[Listening] = asyncio.Queue()
        async with clock.timeout(60), Tasks() as tasks:
            for n in (1, 2):
                config = replace(common, advertise_address=f"192.0.2.{n}")
                tasks.spawn(run_server(config, clock, Chance(n), ready.put_nowait), name=f"server {n}")
            ports = [(await ready.get()).port for _ in range(2)]
            async with EtcdStore(etcd.urls, clock, prefix=prefix) as store:
                while not await names_both(store):  # by the next renewal, should one have overwritten the other
                    await clock.sleep(0.1)
                namespaces = await store.list("core/namespaces/")
                assert len(namespaces.records) == 4
        assert len(set(ports)) == 2

    asyncio.run(main())
