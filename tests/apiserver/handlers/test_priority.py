"""Priority and fairness as clients meet it."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

import orjson
from prometheus_client import generate_latest

from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.schema import Schemas
from pilothouse.apiserver.authentication.in_process import InProcessAuthenticator
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.flowcontrol.control import FlowControl
from pilothouse.apiserver.flowcontrol.metrics import FlowMetrics
from pilothouse.apiserver.handlers.authenticate import authenticate
from pilothouse.apiserver.handlers.framework import Next, Step
from pilothouse.apiserver.handlers.priority import priority
from pilothouse.apiserver.server import ApiServer
from pilothouse.apiserver.user import MASTERS_GROUP, User
from pilothouse.client.transport import Answer, HandlerTransport
from pilothouse.net.http import Response
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.store.memory import MemoryStore
from pilothouse.testing.loop import run

MAPS = "/api/v1/namespaces/default/configmaps"
SCHEMAS = "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas"
PLC = "/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations"
ADMIN, ME = User("admin", (MASTERS_GROUP,)), User("me")
SCHEMA = {
    "metadata": {"name": "mine"},
    "spec": {
        "priorityLevelConfiguration": {"name": "mine"},
        "matchingPrecedence": 50,
        "distinguisherMethod": {"type": "ByUser"},
        "rules": [
            {
                "subjects": [{"kind": "Group", "group": {"name": "system:authenticated"}}],
                "resourceRules": [
                    {"verbs": ["*"], "apiGroups": [""], "resources": ["configmaps"], "namespaces": ["*"]}
                ],
            }
        ],
    },
}
JSON = {"content-type": "application/json"}


@cache
def schemas() -> Schemas:
    return Schemas()


class Fixture:
    def __init__(self, server: ApiServer, control: FlowControl, clock: LoopClock) -> None:
        self.server = server
        self.control = control
        self.clock = clock
        self.mine = HandlerTransport(server.handle, ME)
        self.admin = HandlerTransport(server.handle, ADMIN)

    async def ask(self, target: str) -> Answer:
        return await self.mine.send("GET", target, {})

    def metric(self, name: str) -> float:
        lines = generate_latest(self.server.metrics.registry).decode().splitlines()
        (value,) = [line.rpartition(" ")[2] for line in lines if line.startswith(f"apiserver_flowcontrol_{name}")]
        return float(value)


def tell(story: Callable[[Fixture], Awaitable[None]], *, seats: int = 600, queued: bool = False) -> None:
    async def whole(clock: LoopClock, chance: Chance) -> None:
        async with MemoryStore(clock) as store, ApiServer(store, builtin(), schemas(), clock, chance) as server:
            control = FlowControl(server.cache, clock, seats)
            server.metrics.registry.register(FlowMetrics(control))
            steps = (
                authenticate(InProcessAuthenticator()),
                priority(control, server.cache, server.served.catalogue, clock),
                slow(clock),
            )
            server.assemble(steps=steps)
            api = Fixture(server, control, clock)
            if queued:
                response = {"type": "Queue", "queuing": {"queues": 2, "handSize": 1, "queueLengthLimit": 5}}
                limited = {"nominalConcurrencyShares": 5, "limitResponse": response}
                level = {"metadata": {"name": "mine"}, "spec": {"type": "Limited", "limited": limited}}
                for target, posted in ((PLC, level), (SCHEMAS, SCHEMA)):
                    answer = await api.admin.send("POST", target, JSON, orjson.dumps(posted))
                    assert answer.status == 201, answer.body
            await story(api)

    run(whole)


def slow(clock: LoopClock) -> Step:
    async def step(exchange: Exchange, following: Next) -> Response:
        if seconds := exchange.info.value("slow"):
            await clock.sleep(float(seconds))
        return await following(exchange)

    return step


def test_answers_say_which_flow_it_was() -> None:
    async def story(api: Fixture) -> None:
        answer = await api.ask(MAPS)
        assert answer.status == 200
        level = orjson.loads((await api.admin.send("GET", f"{PLC}/mine", {})).body)
        assert answer.headers["x-kubernetes-pf-prioritylevel-uid"] == level["metadata"]["uid"]
        assert "x-kubernetes-pf-flowschema-uid" in answer.headers
        missing = await api.ask(f"{MAPS}/none")
        assert missing.status == 404
        assert "x-kubernetes-pf-flowschema-uid" in missing.headers

    tell(story, queued=True)


def test_who_is_too_many_is_told_to_come_again() -> None:
    async def story(api: Fixture) -> None:
        async with Tasks() as tasks:
            first = tasks.spawn(api.ask(f"{MAPS}?slow=5"), name="first")
            await api.clock.sleep(1)
            refused = await api.ask(MAPS)
            assert refused.status == 429
            assert refused.body == b"Too many requests, please try again later.\n"
            assert refused.headers["retry-after"] == "1"
            assert "x-kubernetes-pf-flowschema-uid" in refused.headers
            assert (await api.admin.send("GET", MAPS, {})).status == 200, "who is exempt is never too many"
            assert api.metric('current_executing_requests{flow_schema="catch-all"') == 1
            assert (await first).status == 200
            assert (await api.ask(MAPS)).status == 200
            assert api.metric("rejected_requests_total{") == 1
            assert api.metric('dispatched_requests_total{flow_schema="catch-all"') == 2
            assert api.metric('nominal_limit_seats{priority_level="catch-all"') == 1

    tell(story, seats=1)


def test_waiting_is_for_a_quarter_of_the_time() -> None:
    async def story(api: Fixture) -> None:
        async with Tasks() as tasks:
            tasks.spawn(api.ask(f"{MAPS}?slow=50"), name="first")
            await api.clock.sleep(0)
            begin = api.clock.monotonic()
            assert (await api.ask(MAPS)).status == 429
            assert api.clock.monotonic() - begin == 15.0
            assert (await api.ask(f"{MAPS}?timeout=8s")).status == 429
            assert api.clock.monotonic() - begin == 17.0
            assert api.metric("rejected_requests_total{") == 2
            waits = api.metric('request_wait_duration_seconds_sum{execute="false"')
            assert waits == 17.0

    tell(story, seats=1, queued=True)


def test_who_waits_has_its_turn() -> None:
    async def story(api: Fixture) -> None:
        answers = await asyncio.gather(*(api.ask(f"{MAPS}?slow=1") for _ in range(4)))
        assert [answer.status for answer in answers] == [200] * 4
        assert api.clock.monotonic() == 4.0

    tell(story, seats=1, queued=True)


def test_a_watch_has_its_seat_until_it_has_begun() -> None:
    async def story(api: Fixture) -> None:
        async with api.mine.stream("GET", f"{MAPS}?watch=1", {}) as stream:
            assert (await api.ask(MAPS)).status == 429
            await anext(stream.body)
            assert (await api.ask(MAPS)).status == 200
        async with api.mine.stream("GET", f"{MAPS}?watch=1", {}):
            pass
        assert (await api.ask(MAPS)).status == 200, "nobody read the watch, and its seat is free all the same"

    tell(story, seats=1)


def test_errors_and_leavers_give_their_seats_back() -> None:
    async def story(api: Fixture) -> None:
        assert (await api.ask(f"{MAPS}/none")).status == 404
        assert (await api.ask(f"{MAPS}?slow=9&timeout=1s")).status == 504
        assert (await api.ask(MAPS)).status == 200

    tell(story, seats=1)


def test_long_lists_take_more_seats() -> None:
    async def story(api: Fixture) -> None:
        big = {"metadata": {"generateName": "m-"}, "data": {"k": "x" * 100_000}}
        for _ in range(4):
            await api.admin.send("POST", MAPS, JSON, orjson.dumps(big))
        seen: list[float] = []

        async def ask(target: str) -> None:
            async with Tasks() as tasks:
                asked = tasks.spawn(api.ask(target), name="asked")
                await api.clock.sleep(0.5)
                seen.append(api.metric('current_executing_seats{flow_schema="catch-all"'))
                await asked

        for target in (f"{MAPS}?slow=1", f"{MAPS}?slow=1&limit=1", f"{MAPS}?slow=1&fieldSelector=metadata.name=a"):
            await ask(target)
        assert seen == [5.0, 2.0, 1.0]

    tell(story)


def test_the_same_seed_gives_the_same_order() -> None:
    def once() -> list[Any]:
        order: list[Any] = []

        async def story(api: Fixture) -> None:
            async def visit(number: int) -> None:
                transport = HandlerTransport(api.server.handle, User(f"user-{number % 3}"))
                order.append((number, (await transport.send("GET", f"{MAPS}?slow=0.{number}", {})).status))

            await asyncio.gather(*(visit(number) for number in range(1, 10)))

        tell(story, seats=2, queued=True)
        return order

    assert once() == once()
