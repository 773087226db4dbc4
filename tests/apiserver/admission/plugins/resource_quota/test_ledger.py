"""ResourceQuota on a server without the controller: what is charged, and by how many writes."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.errors import Conflict, Forbidden
from pilothouse.api.machinery.schema import Schemas
from pilothouse.api.types.core_v1 import ConfigMap, ResourceQuota, Service
from pilothouse.apiserver.admission.chain import AdmissionChain
from pilothouse.apiserver.admission.plugins.resource_quota import ResourceQuota as Plugin
from pilothouse.apiserver.authorization.framework import Chain
from pilothouse.apiserver.server import ApiServer
from pilothouse.client.client import Client
from pilothouse.client.memo import Memo
from pilothouse.client.transport import HandlerTransport
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.store.interface import Record, TurnLost
from pilothouse.store.memory import MemoryStore
from pilothouse.testing.loop import run as run_virtual

NAMESPACE = "default"


@cache
def schemas() -> Schemas:
    return Schemas()


class MeddledStore(MemoryStore):
    """Before a quota is written, another may write it."""

    meddle: Callable[[], Awaitable[None]] | None = None
    updates = 0
    lost_turns = 0

    async def create(self, key: str, value: bytes, *, ttl: float | None = None) -> Record:
        """Another server has had its turn, so many times."""
        if self.lost_turns:
            self.lost_turns -= 1
            raise TurnLost
        return await super().create(key, value, ttl=ttl)

    async def update(self, key: str, value: bytes, *, expected: int, ttl: float | None = None) -> Record:
        """Count, and let the other go first."""
        if key.startswith("core/resourcequotas/"):
            self.updates += 1
            if self.meddle is not None:
                await self.meddle()
        return await super().update(key, value, expected=expected, ttl=ttl)


@dataclass
class World:
    client: Client
    store: MeddledStore
    server: ApiServer
    plugin: Plugin

    async def limit(self, hard: dict[str, str], used: dict[str, str] | None = None, name: str = "q") -> None:
        """A quota that has been counted."""
        meta = {"name": name, "namespace": NAMESPACE}
        await self.client.create(ResourceQuota, {"metadata": meta, "spec": {"hard": hard}})
        await self.count({**dict.fromkeys(hard, "0"), **(used or {})}, name)
        self.store.updates = 0

    async def count(self, used: dict[str, str], name: str = "q") -> None:
        """Write a quota as the controller does."""
        current = await self.client.get(ResourceQuota, name, NAMESPACE)
        status = {"hard": dict(current.spec.hard), "used": used}
        await self.client.update(ResourceQuota, {**current.raw, "status": status}, subresource="status")

    async def used(self, name: str = "q") -> dict[str, str]:
        """What a quota says is used."""
        return dict((await self.client.get(ResourceQuota, name, NAMESPACE)).status.used)

    async def make(self, *names: str, kind: Any = ConfigMap) -> list[Any]:
        """Create them all at once; what came of each."""
        meta = [{"name": name, "namespace": NAMESPACE} for name in names]
        attempts = [self.client.create(kind, {"metadata": one}) for one in meta]
        return list(await asyncio.gather(*attempts, return_exceptions=True))


def run(story: Callable[[World], Awaitable[None]]) -> None:
    async def scenario(clock: LoopClock, chance: Chance) -> None:
        store = MeddledStore(clock)
        async with store, ApiServer(store, builtin(), schemas(), clock, chance) as server:
            plugin = Plugin(server.served, Chain(()), clock, chance)
            server.assemble(admission=AdmissionChain([plugin]))
            client = Client(HandlerTransport(server.handle, None), builtin(), clock, memo=Memo())
            await story(World(client, store, server, plugin))

    run_virtual(scenario)


def test_creations_at_once_do_not_both_get_the_last_place() -> None:
    async def story(world: World) -> None:
        await world.limit({"configmaps": "10"}, {"configmaps": "9"})
        made = await world.make("a", "b")
        assert sorted(type(one).__name__ for one in made) == ["ConfigMap", "Forbidden"]
        assert await world.used() == {"configmaps": "10"}

    run(story)


def test_those_who_wait_are_charged_by_one_write() -> None:
    async def story(world: World) -> None:
        await world.limit({"configmaps": "15"})
        made = await world.make(*(f"c{number}" for number in range(20)))
        assert len([one for one in made if isinstance(one, ConfigMap)]) == 15
        assert await world.used() == {"configmaps": "15"}
        assert world.store.updates <= 3
        assert world.plugin._ledger._lines == {}

    run(story)


def test_all_quotas_must_have_room() -> None:
    async def story(world: World) -> None:
        await world.limit({"configmaps": "5"}, name="wide")
        await world.limit({"count/configmaps": "1"}, name="narrow")
        await world.make("a")
        (refused,) = await world.make("b")
        assert isinstance(refused, Forbidden)
        assert refused.message == (
            'configmaps "b" is forbidden: exceeded quota: narrow, requested: count/configmaps=1, '
            "used: count/configmaps=1, limited: count/configmaps=1"
        )
        assert await world.used("wide") == {"configmaps": "1"}
        assert await world.used("narrow") == {"count/configmaps": "1"}

    run(story)


def test_a_quota_that_another_has_written_is_tried_again() -> None:
    async def story(world: World) -> None:
        await world.limit({"configmaps": "2"})
        await world.limit({"count/configmaps": "9"}, name="r")

        async def meddle() -> None:
            world.store.meddle = None
            await world.count({"configmaps": "1"})

        world.store.meddle = meddle
        (made,) = await world.make("a")
        assert isinstance(made, ConfigMap)
        assert await world.used() == {"configmaps": "2"}
        assert await world.used("r") == {"count/configmaps": "1"}

    run(story)


def test_one_that_is_written_again_and_again_is_given_up() -> None:
    async def story(world: World) -> None:
        await world.limit({"configmaps": "900"})
        meddled = 0

        async def meddle() -> None:
            nonlocal meddled
            meddled += 1
            world.store.meddle = None
            await world.count({"configmaps": str(meddled)})
            world.store.meddle = meddle

        world.store.meddle = meddle
        (failed,) = await world.make("a")
        assert isinstance(failed, Conflict)
        assert failed.message.startswith('Operation cannot be fulfilled on resourcequotas "q": the object has been mod')
        assert meddled == 4

    run(story)


def test_one_that_goes_meanwhile_limits_nothing() -> None:
    async def story(world: World) -> None:
        await world.limit({"configmaps": "1"})

        async def meddle() -> None:
            world.store.meddle = None
            await world.client.delete(ResourceQuota, "q", NAMESPACE)

        world.store.meddle = meddle
        (made,) = await world.make("a")
        assert isinstance(made, ConfigMap)

    run(story)


def test_what_is_charged_and_what_is_not() -> None:
    async def story(world: World) -> None:
        client, meta = world.client, {"name": "a", "namespace": NAMESPACE}
        await world.limit({"configmaps": "1", "count/events": "0", "count/events.events.k8s.io": "0"})
        path = f"/api/v1/namespaces/{NAMESPACE}/configmaps?dryRun=All"
        await client.write("POST", path, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})
        assert await world.used() == dict.fromkeys(("configmaps", "count/events", "count/events.events.k8s.io"), "0")
        await client.create(ConfigMap, {"metadata": meta})
        await client.update(ConfigMap, {"metadata": meta, "data": {"a": "b"}})
        assert (await world.used())["configmaps"] == "1"
        with pytest.raises(Forbidden):
            await client.write(
                "POST", path, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {**meta, "name": "b"}}
            )
        event = {"involvedObject": {"namespace": NAMESPACE}, "metadata": meta}
        await client.write(
            "POST", f"/api/v1/namespaces/{NAMESPACE}/events", {"apiVersion": "v1", "kind": "Event", **event}
        )
        await client.delete(ConfigMap, "a", NAMESPACE)
        assert (await world.used())["configmaps"] == "1"

    run(story)


def test_a_service_that_changes_its_type() -> None:
    async def story(world: World) -> None:
        await world.limit({"services": "1", "services.loadbalancers": "0", "services.nodeports": "1"})
        spec = {"ports": [{"port": 80}], "clusterIP": "10.96.0.9", "clusterIPs": ["10.96.0.9"]}
        service = {"metadata": {"name": "s", "namespace": NAMESPACE}, "spec": spec}
        made = (await world.client.create(Service, service)).literal()
        made["spec"]["type"] = "LoadBalancer"
        made["spec"]["ports"][0]["nodePort"] = 30001
        with pytest.raises(Forbidden, match=r"requested: services\.loadbalancers=1, used: services\.loadbalancers=0"):
            await world.client.update(Service, made)
        assert (await world.used())["services"] == "1"

    run(story)


def test_a_namespace_without_quotas_asks_nobody() -> None:
    async def story(world: World) -> None:
        await world.limit({"configmaps": "0"})
        await world.client.create(ConfigMap, {"metadata": {"name": "a", "namespace": "other"}})
        assert world.store.updates == 0
        assert not world.plugin._ledger.has_quotas("other")
        await world.client.delete(ResourceQuota, "q", NAMESPACE)
        assert not world.plugin._ledger.has_quotas(NAMESPACE)

    run(story)


def test_who_leaves_while_deciding_for_all_leaves_the_others_in_line() -> None:
    async def story(world: World) -> None:
        await world.limit({"configmaps": "10"})
        arrived, gone = asyncio.Event(), asyncio.Event()

        async def meddle() -> None:
            world.store.meddle = None
            arrived.set()
            await gone.wait()

        world.store.meddle = meddle
        async with asyncio.TaskGroup() as tasks:
            first = tasks.create_task(world.make("a"))
            await arrived.wait()
            second = tasks.create_task(world.make("b"))
            first.cancel()
            gone.set()
        (made,) = second.result()
        assert isinstance(made, ConfigMap)
        assert await world.used() == {"configmaps": "1"}

    run(story)


def test_what_the_configuration_limits_needs_a_quota() -> None:
    async def story(world: World) -> None:
        limited = [{"resource": "configmaps", "matchContains": ["count/"]}]
        kind = {"apiVersion": "apiserver.config.k8s.io/v1", "kind": "ResourceQuotaConfiguration"}
        world.plugin.configure({**kind, "limitedResources": limited})
        (refused,) = await world.make("a")
        assert isinstance(refused, Forbidden)
        assert refused.message == 'configmaps "a" is forbidden: insufficient quota to consume: count/configmaps'
        await world.limit({"count/configmaps": "1"})
        (made,) = await world.make("a")
        assert isinstance(made, ConfigMap)

    run(story)


def test_a_creation_that_is_tried_again_is_charged_once() -> None:
    async def story(world: World) -> None:
        await world.limit({"configmaps": "9"})
        world.store.lost_turns = 3
        (made,) = await world.make("a")
        assert isinstance(made, ConfigMap)
        assert await world.used() == {"configmaps": "1"}

    run(story)
