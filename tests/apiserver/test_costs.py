"""What the design promises by counts, which no noise of the machine disturbs: bytes are made once, quiet is quiet."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest

from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.schema import Schemas
from pilothouse.apiserver.server import ApiServer
from pilothouse.client.transport import HandlerTransport
from pilothouse.controllers.main import ControllersConfig
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.scheduler.main import SchedulerConfig
from pilothouse.store.memory import MemoryStore
from pilothouse.testing.cluster import ADMIN, Cluster
from pilothouse.testing.loop import VirtualLoop, run

MAPS = "/api/v1/namespaces/default/configmaps"
PODS = "/api/v1/namespaces/default/pods"
POD = {"metadata": {"name": "new"}, "spec": {"containers": [{"name": "c", "image": "example:1"}]}}
TABLE = {"accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}


class Counted:
    """Calls of the JSON library."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.calls = {"loads": 0, "dumps": 0}
        for name in self.calls:
            patch.setattr(orjson, name, self._counting(name, getattr(orjson, name)))

    def _counting(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **options: Any) -> Any:
            self.calls[name] += 1
            return function(*arguments, **options)

        return counted

    async def of(self, work: Awaitable[Any]) -> int:
        """How many calls `work` makes."""
        before = sum(self.calls.values())
        await work
        return sum(self.calls.values()) - before


async def fill(transport: HandlerTransport, count: int) -> None:
    for number in range(count):
        body = orjson.dumps({"metadata": {"name": f"map-{number}"}, "data": {"a": "b"}})
        assert (await transport.send("POST", MAPS, {"content-type": "application/json"}, body)).status == 201


def test_reading_decodes_and_encodes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with MemoryStore(clock) as store, ApiServer(store, builtin(), Schemas(), clock, chance) as server:
            server.assemble()
            transport = HandlerTransport(server.handle, None)
            await fill(transport, 50)
            count = Counted(monkeypatch)
            assert await count.of(transport.send("GET", f"{MAPS}/map-7", {})) == 0
            assert await count.of(transport.send("GET", MAPS, {})) == 1, "the list's own metadata"
            first = await count.of(transport.send("GET", MAPS, TABLE))
            assert first > 50, "rows are made"
            assert await count.of(transport.send("GET", MAPS, TABLE)) == 1, "and kept: the table's head alone is new"

    run(story)


@pytest.mark.parametrize(
    ("method", "target", "form", "body", "calls"),
    [
        # A body is encoded once to see whether a key is repeated in it, and the object once, to be stored and sent.
        ("POST", MAPS, "application/json", {"metadata": {"name": "new"}, "data": {"a": "b"}}, {"loads": 1, "dumps": 2}),
        ("POST", PODS, "application/json", POD, {"loads": 1, "dumps": 2}),
        # The stored object is read, to compare, and what was sent is kept, for a second try.
        ("PUT", f"{MAPS}/map-0", "application/json", {"data": {"a": "c"}}, {"loads": 2, "dumps": 3}),
        # It is read twice: one copy becomes what the patch makes of it.
        ("PATCH", f"{MAPS}/map-0", "application/merge-patch+json", {"data": {"a": "c"}}, {"loads": 3, "dumps": 1}),
    ],
    ids=["create", "create pod", "update", "patch"],
)
def test_a_write_decodes_what_was_sent_and_what_is_stored(
    method: str, target: str, form: str, body: Any, calls: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither what it needs to know of other objects, nor what it has just encoded."""

    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance, manager=ControllersConfig(controllers=("serviceaccount-controller",))) as one:
            transport = HandlerTransport(one.server.handle, ADMIN)

            async def send(method: str, target: str, form: str, body: Any) -> int:
                sent = orjson.dumps(body)
                return (await transport.send(method, target, {"content-type": form}, sent)).status

            assert await send("POST", MAPS, "application/json", {"metadata": {"name": "map-0"}}) == 201
            assert await send("POST", PODS, "application/json", POD | {"metadata": {"name": "first"}}) == 201
            await clock.sleep(5)
            count = Counted(monkeypatch)
            assert await send(method, target, form, body) in (200, 201)
            count.calls["dumps"] -= 1  # that of the test
            assert count.calls == calls

    run(story)


def test_a_hundred_watchers_cost_one_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a patch costs does not depend on who watches; all get the very same bytes."""

    async def story(clock: LoopClock, chance: Chance) -> None:
        async with MemoryStore(clock) as store, ApiServer(store, builtin(), Schemas(), clock, chance) as server:
            server.assemble()
            transport = HandlerTransport(server.handle, None)
            await fill(transport, 1)
            count = Counted(monkeypatch)

            async def patch(number: int) -> None:
                headers = {"content-type": "application/merge-patch+json"}
                body = b'{"data":{"n":"%d"}}' % number
                assert (await transport.send("PATCH", f"{MAPS}/map-0", headers, body)).status == 200

            await patch(0)
            alone = await count.of(patch(1))
            streams = [transport.stream("GET", f"{MAPS}?watch=1&resourceVersion=0", {}) for _ in range(100)]
            bodies = [aiter((await stream.__aenter__()).body) for stream in streams]
            for body in bodies:
                await anext(body)
            assert await count.of(patch(2)) == alone
            frames = [await anext(body) for body in bodies]
            assert orjson.loads(frames[0])["object"]["data"]["n"] == "2"
            assert len({id(frame) for frame in frames}) == 1
            for stream in streams:
                await stream.__aexit__(None, None, None)

    run(story)


def test_a_quiet_minute_wakes_all_watchers_at_once() -> None:
    """A hundred watchers, each told every minute how far they are: one timer rings for all of them."""

    async def story(clock: LoopClock, chance: Chance) -> None:
        async with MemoryStore(clock) as store, ApiServer(store, builtin(), Schemas(), clock, chance) as server:
            server.assemble()
            transport = HandlerTransport(server.handle, None)
            told: list[tuple[int, float]] = []

            async def watch(number: int) -> None:
                await clock.sleep(number * 0.37)  # they come one after another
                target = f"{MAPS}?watch=1&allowWatchBookmarks=1&resourceVersion=0&timeoutSeconds=500"
                async with transport.stream("GET", target, {}) as answer:
                    async for piece in answer.body:
                        if piece:
                            assert orjson.loads(piece)["type"] == "BOOKMARK"
                            told.append((number, clock.monotonic()))

            async with asyncio.TaskGroup() as tasks:
                begin = clock.monotonic()
                for number in range(100):
                    tasks.create_task(watch(number))
            moments = {round(moment - begin, 3) for _, moment in told}
            assert moments == {60.0 * minute for minute in range(1, 9)}, "once a minute, all at the same moment"
            assert len(told) == 800
            assert clock.monotonic() - begin == pytest.approx(500 + 99 * 0.37)

    run(story)


def test_an_idle_minute_wakes_a_control_plane_at_most_sixty_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """API server, controllers and scheduler in one loop, without nodes: a wake is a timer that rings."""
    wakes = 0
    advance = VirtualLoop._advance

    def counted(loop: VirtualLoop, seconds: float) -> None:
        nonlocal wakes
        wakes += 1
        advance(loop, seconds)

    monkeypatch.setattr(VirtualLoop, "_advance", counted)

    async def story(clock: LoopClock, chance: Chance) -> None:
        manager, scheduler = ControllersConfig(leader_elect=False), SchedulerConfig(leader_elect=False)
        async with Cluster(clock, chance, manager=manager, scheduler=scheduler):
            await clock.sleep(300)
            before = wakes
            await clock.sleep(600)
            assert 0 < wakes - before <= 60 * 10

    run(story)
