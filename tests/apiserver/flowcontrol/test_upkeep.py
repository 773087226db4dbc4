"""The bootstrap objects in a server: made, mended, left alone, and told whether their level exists."""

from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

import pytest

from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.errors import NotFound
from pilothouse.api.machinery.schema import Schemas
from pilothouse.api.types.flowcontrol_v1 import FlowSchema, PriorityLevelConfiguration
from pilothouse.apiserver.flowcontrol.bootstrap import SUGGESTED_LEVELS
from pilothouse.apiserver.flowcontrol.control import FlowControl
from pilothouse.apiserver.flowcontrol.upkeep import ANNOTATION, CONSUMER, PRODUCER, ensure, keep_up, mended
from pilothouse.apiserver.server import ApiServer
from pilothouse.client.client import Client
from pilothouse.client.memo import Memo
from pilothouse.client.transport import HandlerTransport
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.store.memory import MemoryStore
from pilothouse.testing.loop import run

LEVEL = SUGGESTED_LEVELS[0]


@cache
def schemas() -> Schemas:
    return Schemas()


def tell(story: Callable[[Client, LoopClock], Awaitable[None]], *, running: bool = True) -> None:
    async def whole(clock: LoopClock, chance: Chance) -> None:
        async with MemoryStore(clock) as store, ApiServer(store, builtin(), schemas(), clock, chance) as server:
            server.assemble()

            def client(agent: str) -> Client:
                transport = HandlerTransport(server.handle, None)
                return Client(transport, server.served.catalogue, clock, agent=agent, memo=Memo())

            control = FlowControl(server.cache, clock)
            async with Tasks() as tasks:
                if running:
                    tasks.spawn(keep_up(client(PRODUCER), client(CONSUMER), control, clock), name="upkeep")
                    await clock.sleep(1)
                await story(client("test"), clock)

    run(whole)


def condition(schema: FlowSchema) -> tuple[str, str, str]:
    (found,) = schema.status.conditions
    return found.status, found.reason, found.message


def test_they_are_there_and_say_that_their_levels_exist() -> None:
    async def story(client: Client, clock: LoopClock) -> None:
        levels = (await client.list(PriorityLevelConfiguration)).items
        assert sorted(level.metadata.name for level in levels) == [
            "catch-all", "exempt", "global-default", "leader-election", "node-high", "system", "workload-high",
            "workload-low",
        ]  # fmt: skip
        found = (await client.list(FlowSchema)).items
        assert len(found) == 13
        assert {one.metadata.annotations[ANNOTATION] for one in found} == {"true"}
        probes = next(one for one in found if one.metadata.name == "probes")
        assert condition(probes) == (
            "False", "Found",
            'This FlowSchema references the PriorityLevelConfiguration object named "exempt" and it exists',
        )  # fmt: skip
        managers = {entry.manager: entry.subresource for entry in probes.metadata.managedFields}
        assert managers == {PRODUCER: "", CONSUMER: "status"}
        version = probes.metadata.resourceVersion
        await clock.sleep(200)
        assert (await client.get(FlowSchema, "probes")).metadata.resourceVersion == version, "written once"

    tell(story)


def test_a_level_that_goes_leaves_schemas_dangling_until_it_is_back() -> None:
    async def story(client: Client, clock: LoopClock) -> None:
        await client.delete(PriorityLevelConfiguration, "node-high")
        await clock.sleep(1)
        status, reason, message = condition(await client.get(FlowSchema, "system-node-high"))
        assert (status, reason) == ("True", "NotFound")
        assert message.endswith('named "node-high" but there is no such object')
        await clock.sleep(60)
        assert condition(await client.get(FlowSchema, "system-node-high"))[0] == "False"

    tell(story)


def test_objects_are_put_back_unless_somebody_has_said_that_they_are_theirs() -> None:
    async def story(client: Client, clock: LoopClock) -> None:
        for name, note in (("node-high", {ANNOTATION: "true"}), ("system", {ANNOTATION: "false"})):
            level = dict((await client.get(PriorityLevelConfiguration, name)).raw)
            spec = {**level["spec"], "limited": {**level["spec"]["limited"], "nominalConcurrencyShares": 77}}
            await client.update(
                PriorityLevelConfiguration,
                {**level, "spec": spec, "metadata": {**level["metadata"], "annotations": note}},
            )
        exempt = dict((await client.get(PriorityLevelConfiguration, "exempt")).raw)
        exempt["spec"] = {"type": "Exempt", "exempt": {"nominalConcurrencyShares": 5, "lendablePercent": 50}}
        await client.update(PriorityLevelConfiguration, exempt)
        await clock.sleep(61)
        shares = {
            one.metadata.name: one.raw["spec"].get("limited", one.raw["spec"].get("exempt"))["nominalConcurrencyShares"]
            for one in (await client.list(PriorityLevelConfiguration)).items
        }
        assert (shares["node-high"], shares["system"], shares["exempt"]) == (40, 77, 5)

    tell(story)


def test_what_was_suggested_once_goes() -> None:
    async def story(client: Client, clock: LoopClock) -> None:
        for name, note in (("ours", {ANNOTATION: "true"}), ("theirs", {}), ("kept", {ANNOTATION: "false"})):
            spec = {**LEVEL, "metadata": {"name": name, "annotations": note}}
            await client.create(PriorityLevelConfiguration, spec)
        await ensure(client, clock)
        with pytest.raises(NotFound):
            await client.get(PriorityLevelConfiguration, "ours")
        await client.get(PriorityLevelConfiguration, "theirs")
        await client.get(PriorityLevelConfiguration, "kept")

    tell(story, running=False)


@pytest.mark.parametrize(
    ("annotation", "generation", "mandatory", "other", "written"),
    [
        ("true", 3, False, True, "true"),
        ("true", 3, False, False, None),
        ("false", 1, False, True, None),
        ("", 1, False, True, "true"),
        ("", 2, False, True, "false"),
        ("", 2, False, False, "false"),
        ("maybe", 1, False, False, "true"),
        ("false", 2, True, True, "true"),
        ("false", 2, True, False, "true"),
    ],
)
def test_who_has_the_last_word(
    annotation: str, generation: int, mandatory: bool, other: bool, written: str | None
) -> None:
    metadata: dict[str, Any] = {"name": "system", "generation": generation}
    if annotation:
        metadata["annotations"] = {ANNOTATION: annotation}
    spec = {"type": "Limited"} if other else LEVEL["spec"]
    found = mended({"metadata": metadata, "spec": spec}, LEVEL, mandatory=mandatory)
    if written is None:
        assert found is None
    else:
        assert found is not None
        assert found["metadata"]["annotations"][ANNOTATION] == written
        assert found["spec"] == (LEVEL["spec"] if written == "true" else spec)
