"""The garbage collector on a real API server, in virtual time."""

from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from functools import cache
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilothouse.api.machinery.errors import NotFound
from pilothouse.api.machinery.schema import Schemas
from pilothouse.api.machinery.view import JsonObject, View
from pilothouse.api.types.apps_v1 import Deployment, ReplicaSet
from pilothouse.api.types.autoscaling_v2 import HorizontalPodAutoscaler
from pilothouse.api.types.core_v1 import ConfigMap, Event, Namespace, Pod
from pilothouse.api.types.rbac_v1 import ClusterRole
from pilothouse.client.client import Kind
from pilothouse.controllers.deployment import DeploymentController
from pilothouse.controllers.garbage_collector import GarbageCollectorController
from pilothouse.controllers.main import ControllersConfig
from pilothouse.controllers.replicaset import ReplicaSetController
from pilothouse.net.http import Request, Response
from pilothouse.reconcile.controller import Controller
from pilothouse.reconcile.runner import run_all
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.loop import run

SETTLED = 5.0
HOLD = "example.com/hold"
LABELS = {"app": "web"}
DEPLOYMENT = {
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {
        "replicas": 3,
        "selector": {"matchLabels": LABELS},
        "template": {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "c", "image": "example:1"}]}},
    },
}
Story = Callable[["World"], Awaitable[None]]


@cache
def schemas() -> Schemas:
    return Schemas()


def reference(view: View, api_version: str = "v1", kind: str = "ConfigMap") -> JsonObject:
    """An owner reference."""
    return {"apiVersion": api_version, "kind": kind, "name": view.metadata.name, "uid": view.metadata.uid}


def blocking(owner: JsonObject) -> JsonObject:
    """One for which the owner waits."""
    return {**owner, "blockOwnerDeletion": True}


class World:
    """ConfigMaps that own each other."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.client = cluster.client()
        self.requests: list[str] = []
        self.hidden = ""
        self.has_discovery = True
        self.failing = ""
        handle = cluster.server.handle

        async def noted(request: Request) -> Response:
            if "watch=true" not in request.target:
                self.requests.append(f"{request.method} {request.target}")
            if self.failing and f"{request.method} {request.target}".startswith(self.failing):
                self.failing = ""
                return Response(500, b"no luck")
            if request.target == "/apis" and not self.has_discovery:
                return Response(503, b"not now")
            if request.target != "/apis" or not self.hidden:
                return await handle(request)
            headers = {name: value for name, value in request.headers.items() if name != "if-none-match"}
            response = await handle(Request(request.method, request.target, headers, request.peer))
            assert isinstance(response.body, bytes)
            document = orjson.loads(response.body)
            kept = [group for group in document["items"] if group["metadata"]["name"] != self.hidden]
            return Response(200, orjson.dumps({**document, "items": kept}))

        cluster.server.handle = noted  # type: ignore[method-assign]

    async def make(self, name: str, *owners: JsonObject, namespace: str = "default", **meta: Any) -> JsonObject:
        """Create one; returns a reference to it."""
        meta |= {"name": name, "namespace": namespace, "ownerReferences": [*owners]}
        return reference(await self.client.create(ConfigMap, {"metadata": meta}, namespace))

    async def meta(self, name: str) -> JsonObject:
        return dict((await self.client.get(ConfigMap, name, "default")).metadata.raw)

    async def owners(self, name: str) -> list[str]:
        """What it still names as its owners."""
        return [owner["name"] for owner in (await self.meta(name)).get("ownerReferences", ())]

    async def there(self, *kinds: Kind[Any], namespace: str = "") -> list[str]:
        """The names of all objects."""
        return [
            view.metadata.name
            for kind in kinds or (ConfigMap,)
            for view in (await self.client.list(kind, namespace)).items
        ]

    async def delete(self, name: str, propagation: str = "Background") -> None:
        await self.client.delete(ConfigMap, name, "default", propagation=propagation)

    async def change(self, name: str, **meta: Any) -> None:
        await self.client.patch(ConfigMap, name, "default", {"metadata": meta})

    async def settle(self, seconds: float = SETTLED) -> None:
        await self.cluster.clock.sleep(seconds)

    def asked(self, *starts: str) -> list[str]:
        """The requests since the last time that begin with one of these."""
        found = [one for one in self.requests if one.startswith(starts)]
        self.requests.clear()
        return found


def play(story: Story, *more: type[Controller], collect: bool = True) -> None:
    """Run a story on a bare server with the garbage collector."""

    async def main(clock: LoopClock, chance: Chance) -> None:
        cluster = Cluster(clock, chance, schemas=schemas())
        world = World(cluster)
        async with cluster, Tasks() as tasks:
            for name in ("default", "other"):
                await world.client.create(Namespace, {"metadata": {"name": name}})
            if collect:
                controllers: list[type[Controller]] = [GarbageCollectorController, *more]
                run_all(controllers, lambda name: cluster.client(agent=name), clock, chance, tasks)
                await world.settle()
            await story(world)

    run(main)


def test_dependents_go_after_their_owner() -> None:
    async def story(world: World) -> None:
        a = await world.make("a")
        b = await world.make("b", a)
        await world.make("c", b)
        await world.make("free")
        await world.settle()
        assert await world.there() == ["a", "b", "c", "free"]
        await world.delete("a")
        assert "a" not in await world.there()
        await world.settle()
        assert await world.there() == ["free"]

    play(story)


def test_dependents_go_before_an_owner_that_waits() -> None:
    async def story(world: World) -> None:
        a = await world.make("a")
        b = await world.make("b", blocking(a))
        await world.make("c", blocking(b), finalizers=[HOLD])
        await world.settle()
        await world.delete("a", "Foreground")
        await world.settle()
        assert await world.there() == ["a", "b", "c"]
        for name in "ab":
            assert (await world.meta(name))["finalizers"] == ["foregroundDeletion"]
        assert (await world.meta("c"))["deletionTimestamp"]
        await world.change("c", finalizers=None)
        await world.settle()
        assert await world.there() == []

    play(story)


def test_an_owner_waits_for_those_alone_that_block_it() -> None:
    async def story(world: World) -> None:
        a = await world.make("a")
        await world.make("b", blocking(a))
        await world.make("c", a, finalizers=[HOLD])
        await world.settle()
        await world.delete("a", "Foreground")
        await world.settle()
        assert await world.there() == ["c"]
        assert (await world.meta("c"))["deletionTimestamp"]

    play(story)


def test_an_owner_waits_no_longer_when_the_last_lets_it_go() -> None:
    async def story(world: World) -> None:
        a = await world.make("a")
        await world.make("b", blocking(a), finalizers=[HOLD])
        await world.make("c", blocking(a), finalizers=[HOLD])
        await world.delete("a", "Foreground")
        await world.settle()
        await world.change("b", ownerReferences=None)
        await world.settle()
        assert "a" in await world.there()
        await world.change("c", ownerReferences=[a])
        await world.settle()
        assert await world.there() == ["b", "c"]

    play(story)


def test_a_dependent_that_comes_late_goes_too() -> None:
    async def story(world: World) -> None:
        a = await world.make("a")
        await world.make("b", blocking(a), finalizers=[HOLD])
        await world.delete("a", "Foreground")
        await world.settle()
        await world.make("late", blocking(a))
        await world.settle()
        assert await world.there() == ["a", "b"]
        await world.change("b", finalizers=None)
        await world.settle()
        assert await world.there() == []

    play(story)


def test_orphans_stay_and_no_longer_name_their_owner() -> None:
    async def story(world: World) -> None:
        a, other = await world.make("a"), await world.make("other")
        b = await world.make("b", blocking(a))
        await world.make("c", b)
        await world.make("d", a, other)
        await world.settle()
        await world.delete("a", "Orphan")
        await world.settle()
        assert await world.there() == ["b", "c", "d", "other"]
        assert [await world.owners(name) for name in "bcd"] == [[], ["b"], ["other"]]

    play(story)


def test_an_owner_stays_until_all_orphans_are_free() -> None:
    async def story(world: World) -> None:
        a = await world.make("a")
        for name in "bcd":
            await world.make(name, a)
        await world.settle()
        world.failing = "PATCH /api/v1/namespaces/default/configmaps/c"
        await world.delete("a", "Orphan")
        await world.settle()
        assert world.failing == ""
        assert await world.there() == ["b", "c", "d"]
        assert [await world.owners(name) for name in "bcd"] == [[], [], []]

    play(story)


def test_a_namesake_is_no_owner() -> None:
    async def story(world: World) -> None:
        first = await world.make("a")
        await world.make("b", first)
        await world.settle()
        await world.delete("a")
        second = await world.make("a")
        await world.make("c", second)
        await world.settle()
        assert await world.there() == ["a", "c"]
        await world.make("late", first)
        await world.settle()
        assert await world.there() == ["a", "c"]

    play(story)


@pytest.mark.parametrize("propagation", ["Background", "Foreground"])
def test_one_of_two_owners_is_enough(propagation: str) -> None:
    async def story(world: World) -> None:
        a, b = await world.make("a"), await world.make("b")
        await world.make("c", blocking(a), blocking(b))
        await world.settle()
        await world.delete("a", propagation)
        await world.settle()
        assert await world.there() == ["b", "c"]
        assert await world.owners("c") == ["b"]
        await world.delete("b", propagation)
        await world.settle()
        assert await world.there() == []

    play(story)


@pytest.mark.parametrize("propagation", ["Background", "Foreground"])
@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_circle_goes(length: int, propagation: str) -> None:
    async def story(world: World) -> None:
        names = "abc"[:length]
        made = [await world.make(name) for name in names]
        for position, name in enumerate(names):
            await world.change(name, ownerReferences=[blocking(made[position - 1])])
        await world.settle()
        assert await world.there() == [*names]
        await world.delete("a", propagation)
        await world.settle()
        assert await world.there() == []

    play(story)


@pytest.mark.parametrize("at_once", [True, False])
def test_a_circle_goes_when_all_of_it_waits(at_once: bool) -> None:
    async def story(world: World) -> None:
        a, b = await world.make("a"), await world.make("b", finalizers=[HOLD])
        await world.change("a", ownerReferences=[blocking(b)])
        await world.change("b", ownerReferences=[blocking(a)])
        await world.settle()
        for name in "ab":
            await world.delete(name, "Foreground")
            await world.settle(0 if at_once else SETTLED)
        await world.settle()
        await world.change("b", finalizers=None)
        await world.settle()
        assert await world.there() == []

    play(story)


def test_an_owner_that_never_was_is_no_owner() -> None:
    async def story(world: World) -> None:
        real = await world.make("real")
        await world.make("a", {**real, "uid": "no-such"})
        await world.make("b", {**real, "name": "no-such"})
        await world.make("c", {**real, "uid": "no-such"}, real)
        await world.make("d", real)
        await world.settle()
        assert await world.there() == ["c", "d", "real"]
        assert await world.owners("c") == ["real"]

    play(story)


def test_an_owner_of_a_kind_that_nobody_knows_is_asked_for_ever_more_seldom() -> None:
    async def story(world: World) -> None:
        await world.make("a", {"apiVersion": "example.com/v1", "kind": "Odd", "name": "x", "uid": "odd"})
        await world.settle(3600)
        assert await world.there() == ["a"]
        assert await world.owners("a") == ["x"]

    play(story)


def test_an_owner_in_another_namespace_is_none_and_an_event_says_so() -> None:
    async def story(world: World) -> None:
        owner = await world.make("a", namespace="other")
        await world.settle()
        await world.make("b", owner)
        await world.settle()
        assert await world.there() == ["a"]
        (event,) = (await world.client.list(Event)).items
        assert (event.type, event.reason, event.involvedObject.name) == ("Warning", "OwnerRefInvalidNamespace", "b")
        place = f"[v1/ConfigMap, namespace: default, name: a, uid: {owner['uid']}]"
        assert event.raw["message"] == f'ownerRef {place} does not exist in namespace "default"'
        assert event.source.component == "garbage-collector-controller"

    play(story)


def test_an_owner_in_no_namespace_may_have_dependents_in_all() -> None:
    async def story(world: World) -> None:
        role = await world.client.create(ClusterRole, {"metadata": {"name": "role"}})
        owner = reference(role, "rbac.authorization.k8s.io/v1", "ClusterRole")
        for namespace in ("default", "other"):
            await world.make(f"of-{namespace}", owner, namespace=namespace)
        await world.settle()
        assert await world.there() == ["of-default", "of-other"]
        await world.client.delete(ClusterRole, "role", propagation="Background")
        await world.settle()
        assert await world.there() == []
        await world.make("late", owner)
        await world.settle()
        assert await world.there() == []

    play(story)


def test_what_stands_in_no_namespace_cannot_be_owned_by_what_does() -> None:
    async def story(world: World) -> None:
        owner = await world.make("a")
        for uid in (owner["uid"], "no-such"):
            meta = {"name": f"role-{uid}", "ownerReferences": [{**owner, "uid": uid}]}
            await world.client.create(ClusterRole, {"metadata": meta})
        await world.settle(60)
        world.requests.clear()
        await world.delete("a")
        await world.settle(60)
        assert len(await world.there(ClusterRole)) == 2
        assert len(world.asked("GET /api/v1/configmaps", "GET /apis/rbac")) < 20

    play(story)


@pytest.mark.parametrize("propagation", ["Background", "Foreground"])
def test_a_deployment_goes_with_all_it_has(propagation: str) -> None:
    async def story(world: World) -> None:
        await world.client.create(Deployment, DEPLOYMENT)
        await world.settle()
        assert len(await world.there(Deployment, ReplicaSet, Pod)) == 5
        await world.client.delete(Deployment, "web", "default", propagation=propagation)
        await world.settle()
        assert await world.there(Deployment, ReplicaSet, Pod) == []

    play(story, DeploymentController, ReplicaSetController)


def test_a_deployment_can_leave_all_it_has() -> None:
    async def story(world: World) -> None:
        await world.client.create(Deployment, DEPLOYMENT)
        await world.settle()
        before = await world.there(ReplicaSet, Pod)
        await world.client.delete(Deployment, "web", "default", propagation="Orphan")
        await world.settle()
        assert await world.there(Deployment, ReplicaSet, Pod) == before
        (replica_set,) = (await world.client.list(ReplicaSet)).items
        assert replica_set.metadata.ownerReferences == ()
        await world.client.delete(ReplicaSet, replica_set.metadata.name, "default", propagation="Orphan")
        await world.settle()
        pods = (await world.client.list(Pod)).items
        assert [pod.metadata.name for pod in pods] == before[1:]
        assert [pod.metadata.ownerReferences for pod in pods] == [()] * 3

    play(story, DeploymentController, ReplicaSetController)


@pytest.mark.parametrize("propagation", ["Background", "Foreground", "Orphan"])
def test_who_takes_over_half_way_ends_it(propagation: str) -> None:
    async def story(world: World) -> None:
        a = await world.make("a")
        for name in "bcdefghi":
            await world.make(name, blocking(a))
        cluster, left = world.cluster, []
        for step in range(8):
            async with Tasks() as tasks:
                run_all([GarbageCollectorController], lambda _: cluster.client(), cluster.clock, cluster.chance, tasks)
                for _ in range(100_000):
                    await world.settle(0)
                    if world.asked("DELETE", "PATCH"):
                        break
            left.append(len(await world.there()))
            if step == 0:
                await world.delete("a", propagation)
        assert left[0] == 9
        async with Tasks() as tasks:
            run_all([GarbageCollectorController], lambda _: cluster.client(), cluster.clock, cluster.chance, tasks)
            await world.settle(60)
        assert await world.there() == ([*"bcdefghi"] if propagation == "Orphan" else [])
        if propagation == "Orphan":
            assert [await world.owners(name) for name in "bcdefghi"] == [[]] * 8

    play(story, collect=False)


@pytest.mark.parametrize(("propagation", "spare"), [("Background", 0), ("Foreground", 4)])
def test_a_dependent_costs_a_look_and_a_deletion(propagation: str, spare: int) -> None:
    async def story(world: World) -> None:
        world.requests.clear()
        a = await world.make("a")
        for number in range(100):
            await world.make(f"b{number:02}", blocking(a))
        await world.settle()
        assert world.asked("GET", "PATCH", "DELETE") == []
        await world.delete("a", propagation)
        await world.settle()
        assert await world.there() == []
        asked = world.asked("GET /api/v1/namespaces/", "DELETE", "PATCH")
        assert len(asked) <= 2 * 100 + spare

    play(story)


def test_kinds_that_come_later_are_seen_within_half_a_minute() -> None:
    async def story(world: World) -> None:
        world.hidden = "rbac.authorization.k8s.io"
        await world.settle(35)
        role = await world.client.create(ClusterRole, {"metadata": {"name": "role"}})
        owner = reference(role, "rbac.authorization.k8s.io/v1", "ClusterRole")
        await world.make("a", owner)
        await world.make("b", {**owner, "uid": "no-such"})
        await world.settle(60)
        assert await world.there() == ["a", "b"]
        world.hidden = ""
        await world.settle(120)
        assert await world.there() == ["a"]
        await world.client.delete(ClusterRole, "role", propagation="Background")
        await world.settle()
        assert await world.there() == []

    play(story)


def test_it_begins_when_it_can_and_goes_on_with_what_it_knows() -> None:
    async def story(world: World) -> None:
        world.has_discovery = False
        cluster = world.cluster
        async with Tasks() as tasks:
            run_all([GarbageCollectorController], lambda _: cluster.client(), cluster.clock, cluster.chance, tasks)
            await world.settle(60)
            await world.make("b", await world.make("a"))
            await world.delete("a")
            await world.settle(60)
            assert await world.there() == ["b"]
            world.has_discovery = True
            await world.settle(10)
            assert await world.there() == []
            world.has_discovery = False
            await world.settle(100)
            await world.make("b", await world.make("a"))
            await world.delete("a")
            await world.settle(10)
            assert await world.there() == []

    play(story, collect=False)


def test_what_is_there_when_it_begins_is_not_asked_for() -> None:
    async def story(world: World) -> None:
        owner = await world.make("d")
        for name in "cba":
            owner = await world.make(name, owner)
        assert await world.there() == ["a", "b", "c", "d"]  # so dependents come first
        cluster = world.cluster
        world.requests.clear()
        async with Tasks() as tasks:
            run_all([GarbageCollectorController], lambda _: cluster.client(), cluster.clock, cluster.chance, tasks)
            await world.settle()
        assert world.asked("GET /api/v1/namespaces/", "PATCH", "DELETE") == []

    play(story, collect=False)


def test_who_is_going_is_left_alone() -> None:
    async def story(world: World) -> None:
        await world.make("b", await world.make("a"), finalizers=[HOLD])
        await world.delete("b")
        await world.settle()
        world.requests.clear()
        await world.delete("a")
        await world.settle()
        assert world.asked("GET /api/v1/namespaces/", "PATCH", "DELETE") == []

    play(story)


def test_an_owner_that_is_not_there_is_asked_for_once() -> None:
    async def story(world: World) -> None:
        real = await world.make("real")
        await world.settle()
        world.requests.clear()
        role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "name": "no", "uid": real["uid"]}
        for namespace in ("default", "other"):
            await world.make("a", role, namespace=namespace)
            await world.settle()
        assert await world.there() == ["real"]
        assert len(world.asked("GET /apis/rbac")) == 1

    play(story)


def test_an_owner_that_no_watch_shows_is_asked_for_again_and_again() -> None:
    async def story(world: World) -> None:
        event = {"metadata": {"name": "e"}, "involvedObject": {"namespace": "default"}}
        made = await world.client.create(Event, event, "default")
        await world.make("a", reference(made, "events.k8s.io/v1", "Event"))
        await world.settle(600)
        assert await world.there() == ["a"]
        assert len(world.asked("GET /apis/events.k8s.io/v1/namespaces/default/events/e")) < 20
        await world.client.delete(Event, "e", "default")
        await world.settle(1000)
        assert await world.there() == []

    play(story)


@pytest.mark.parametrize("propagation", ["Background", "Foreground"])
def test_an_owner_may_be_named_in_another_version(propagation: str) -> None:
    async def story(world: World) -> None:
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
        scaler = {"metadata": {"name": "s"}, "spec": {"scaleTargetRef": target, "maxReplicas": 2}}
        made = await world.client.create(HorizontalPodAutoscaler, scaler, "default")
        for version in ("v1", "v2"):
            await world.make(version, blocking(reference(made, f"autoscaling/{version}", "HorizontalPodAutoscaler")))
        await world.settle()
        assert await world.there() == ["v1", "v2"]
        await world.client.delete(HorizontalPodAutoscaler, "s", "default", propagation=propagation)
        await world.settle()
        assert await world.there(ConfigMap, HorizontalPodAutoscaler) == []

    play(story)


def test_an_idle_cluster_is_asked_for_discovery_alone() -> None:
    async def story(world: World) -> None:
        await world.make("b", await world.make("a"))
        await world.settle(30)
        world.requests.clear()
        await world.settle(600)
        assert {*world.requests} == {"GET /api", "GET /apis"}
        assert len(world.requests) == 40

    play(story)


def test_the_account_of_the_collector_may_do_all_this() -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance, manager=ControllersConfig(), schemas=schemas()) as cluster:
            world = World(cluster)
            await world.client.create(Namespace, {"metadata": {"name": "ns"}})
            await world.settle()
            role = await world.client.create(ClusterRole, {"metadata": {"name": "role"}})
            owner = reference(role, "rbac.authorization.k8s.io/v1", "ClusterRole")
            await world.make("a", blocking(owner), namespace="ns")
            await world.settle()
            assert "a" in await world.there(namespace="ns")
            await world.client.delete(ClusterRole, "role", propagation="Foreground")
            await world.settle()
            assert "a" not in await world.there(namespace="ns")
            with pytest.raises(NotFound):
                await world.client.get(ClusterRole, "role")

    run(main)


Owners = list[list[int]]
Deletions = list[tuple[int, str]]
graphs = st.integers(2, 7).flatmap(
    lambda size: st.lists(st.lists(st.integers(0, size - 1), max_size=3, unique=True), min_size=size, max_size=size)
)
deletions = st.lists(
    st.tuples(st.integers(0, 6), st.sampled_from(["Background", "Foreground", "Orphan"])), min_size=1, max_size=4
)
sensible = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


async def _build(world: World, owners: Owners, blocks: bool) -> None:
    made = [await world.make(str(number)) for number in range(len(owners))]
    for number, named in enumerate(owners):
        references = [made[owner] | {"blockOwnerDeletion": blocks} for owner in named]
        await world.change(str(number), ownerReferences=references)
    await world.settle()


async def _look(world: World) -> dict[int, set[int]]:
    return {
        int(view.metadata.name): {int(owner.name) for owner in view.metadata.ownerReferences}
        for view in (await world.client.list(ConfigMap)).items
    }


def _expect(state: dict[int, set[int]], number: int, propagation: str) -> dict[int, set[int]]:
    """What is left when one is deleted: those without owners, and those with one that lives."""
    left = {one: owners for one, owners in state.items() if one != number}
    if propagation == "Orphan" and number in state:
        left = {one: owners - {number} for one, owners in left.items()}
    while gone := [one for one, owners in left.items() if owners and not owners & left.keys()]:
        left = {one: owners for one, owners in left.items() if one not in gone}
    return {one: owners & left.keys() for one, owners in left.items()}


@sensible
@given(owners=graphs, deleted=deletions, blocks=st.booleans())
def test_what_has_no_owner_or_a_living_one_lives(owners: Owners, deleted: Deletions, blocks: bool) -> None:
    async def story(world: World) -> None:
        await _build(world, owners, blocks)
        state = {number: set(named) for number, named in enumerate(owners)}
        for number, propagation in deleted:
            with suppress(NotFound):
                await world.delete(str(number), propagation)
            await world.settle()
            state = _expect(state, number, propagation)
            assert await _look(world) == state

    play(story)


@sensible
@given(
    owners=graphs, deleted=deletions, blocks=st.booleans(), pauses=st.lists(st.integers(0, 3), min_size=4, max_size=4)
)
def test_deletions_on_top_of_each_other_end_well(
    owners: Owners, deleted: Deletions, blocks: bool, pauses: Iterable[int]
) -> None:
    async def story(world: World) -> None:
        await _build(world, owners, blocks)
        for (number, propagation), pause in zip(deleted, pauses, strict=False):
            with suppress(NotFound):
                await world.delete(str(number), propagation)
            await world.settle(pause / 1000)
        await world.settle(60)
        left = await _look(world)
        assert not left.keys() & {number for number, _ in deleted}
        assert {one for one, named in left.items() if not named <= left.keys()} == set()

    play(story)
