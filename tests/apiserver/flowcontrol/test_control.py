"""FlowControl in a server: limits, borrowing, classification, and levels that come and go."""

from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.schema import Schemas
from pilothouse.api.types.flowcontrol_v1 import FlowSchema, PriorityLevelConfiguration
from pilothouse.apiserver.flowcontrol.control import FlowControl
from pilothouse.apiserver.flowcontrol.upkeep import ensure
from pilothouse.apiserver.request_info import parse_request_info
from pilothouse.apiserver.server import ApiServer
from pilothouse.apiserver.user import AUTHENTICATED_GROUP, User
from pilothouse.client.client import Client
from pilothouse.client.memo import Memo
from pilothouse.client.transport import HandlerTransport
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.store.memory import MemoryStore
from pilothouse.testing.loop import run

ME = User("me", (AUTHENTICATED_GROUP,))
YOU = User("you", (AUTHENTICATED_GROUP,))
GET = parse_request_info("GET", "/api/v1/namespaces/default/pods/a")


@cache
def schemas() -> Schemas:
    return Schemas()


def tell(story: Callable[[FlowControl, Client, LoopClock], Awaitable[None]], *, full: bool = True) -> None:
    async def whole(clock: LoopClock, chance: Chance) -> None:
        async with MemoryStore(clock) as store, ApiServer(store, builtin(), schemas(), clock, chance) as server:
            server.assemble()
            transport = HandlerTransport(server.handle, None)
            client = Client(transport, server.served.catalogue, clock, memo=Memo())
            control = FlowControl(server.cache, clock)
            if full:
                await ensure(client, clock)
            await story(control, client, clock)

    run(whole)


def schema_for(name: str, user: str, level: str, **spec: Any) -> dict[str, Any]:
    rule = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "namespaces": ["*"], "clusterScope": True}
    subjects = [{"kind": "User", "user": {"name": user}}]
    rules = [{"subjects": subjects, "resourceRules": [rule]}]
    reference = {"name": level}
    return {
        "metadata": {"name": name},
        "spec": {"priorityLevelConfiguration": reference, "matchingPrecedence": 50, "rules": rules, **spec},
    }


def level_of(name: str, shares: int, **limited: Any) -> dict[str, Any]:
    response = {"type": "Reject"}
    spec = {"nominalConcurrencyShares": shares, "limitResponse": response, **limited}
    return {"metadata": {"name": name}, "spec": {"type": "Limited", "limited": spec}}


def test_without_any_objects_there_are_the_mandatory_ones() -> None:
    async def story(control: FlowControl, client: Client, clock: LoopClock) -> None:
        assert sorted(control.levels) == ["catch-all", "exempt"]
        flow = control.flow_of(ME, GET)
        assert (flow.schema, flow.level.name) == ("catch-all", "catch-all")
        assert control.flow_of(User("root", ("system:masters",)), GET).level.exempt
        assert control.flow_of(User("", ()), GET).schema == "catch-all", "which takes those whom no rule is about"

    tell(story, full=False)


def test_flows_are_kept_until_the_configuration_changes() -> None:
    async def story(control: FlowControl, client: Client, clock: LoopClock) -> None:
        first = control.flow_of(ME, GET)
        assert first.schema == "global-default"
        assert control.flow_of(ME, GET) is first
        other = control.flow_of(YOU, GET)
        assert (other.level, other.tally) == (first.level, first.tally)
        assert other.number != first.number, "each user is a flow"
        made = await client.create(FlowSchema, schema_for("mine", "me", "workload-high"))
        flow = control.flow_of(ME, GET)
        assert (flow.schema, flow.level.name) == ("mine", "workload-high")
        assert flow.headers["X-Kubernetes-PF-FlowSchema-UID"] == made.metadata.uid
        level = await client.get(PriorityLevelConfiguration, "workload-high")
        assert flow.headers["X-Kubernetes-PF-PriorityLevel-UID"] == level.metadata.uid
        await client.patch(FlowSchema, "mine", "", {"metadata": {"labels": {"a": "b"}}})
        assert control.flow_of(ME, GET) is flow, "which changes nothing here"
        await client.delete(FlowSchema, "mine")
        assert control.flow_of(ME, GET).schema == "global-default"

    tell(story)


def test_a_schema_without_a_level_is_passed_over() -> None:
    async def story(control: FlowControl, client: Client, clock: LoopClock) -> None:
        await client.create(FlowSchema, schema_for("mine", "me", "none"))
        assert control.flow_of(ME, GET).schema == "global-default"
        assert [one["metadata"]["name"] for one, dangling in control.dangling() if dangling] == ["mine"]
        await client.create(PriorityLevelConfiguration, level_of("none", 10))
        assert control.flow_of(ME, GET).schema == "mine"

    tell(story)


def test_a_level_that_goes_serves_who_is_in_it() -> None:
    async def story(control: FlowControl, client: Client, clock: LoopClock) -> None:
        await client.create(PriorityLevelConfiguration, level_of("mine", 10))
        await client.create(FlowSchema, schema_for("mine", "me", "mine"))
        flow = control.flow_of(ME, GET)
        seat = flow.level.queues.admit(1)
        assert seat is not None
        await client.delete(PriorityLevelConfiguration, "mine")
        assert "mine" in control.levels
        assert control.flow_of(ME, GET).level.name == "global-default"
        await clock.sleep(11)
        assert "mine" in control.levels
        seat.leave()
        await clock.sleep(11)
        assert "mine" not in control.levels

    tell(story)


def test_numbers_are_let_go_of_with_their_schema() -> None:
    async def story(control: FlowControl, client: Client, clock: LoopClock) -> None:
        for number in range(5):
            name = f"mine-{number}"
            await client.create(FlowSchema, schema_for(name, "me", "workload-high"))
            flow = control.flow_of(ME, GET)
            assert flow.schema == name
            flow.tally.begin(1)
            if number > 0:
                flow.tally.end(1)
            await client.delete(FlowSchema, name)
        assert [*control.tallies] == [("workload-high", "mine-0")], "one of whose is under way"
        control.tallies["workload-high", "mine-0"].end(1)
        await clock.sleep(11)
        assert not control.tallies

    tell(story)


def test_limits_follow_demand() -> None:
    async def story(control: FlowControl, client: Client, clock: LoopClock) -> None:
        level = control.flow_of(ME, GET).level
        assert level.name == "global-default"
        begin = level.queues.limit
        assert begin is not None
        assert begin >= level.bounds.least
        seats = [level.queues.admit(1) for _ in range(begin)]
        assert level.queues.admit(1) is None
        await clock.sleep(11)
        assert level.queues.limit is not None
        assert level.queues.limit > begin, "what others do not need is lent"
        others = sum(one.queues.limit or 0 for one in control.levels.values() if one is not level)
        assert abs(others + level.queues.limit - sum(one.bounds.nominal for one in control.levels.values())) <= 4
        assert all((one.queues.limit or 0) >= one.bounds.least for one in control.levels.values() if not one.exempt)
        for seat in seats:
            assert seat is not None
            seat.leave()
        await clock.sleep(4000)
        assert level.queues.limit < begin + 60

    tell(story)


def test_nothing_rings_when_nothing_happens() -> None:
    async def story(control: FlowControl, client: Client, clock: LoopClock) -> None:
        control.flow_of(ME, GET)
        assert control._timer is not None
        await clock.sleep(25)
        assert control._timer is None

    tell(story)
