from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from fakes.api import FakeApi
from fakes.informers import ToldInformers
from pilothouse.api.machinery import errors
from pilothouse.api.machinery.errors import NotFound
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Endpoints, Pod, Service
from pilothouse.client.client import Client
from pilothouse.client.events import EventRecorder
from pilothouse.client.key import Key
from pilothouse.controllers.endpoints import EndpointsController
from pilothouse.controllers.main import ControllersConfig
from pilothouse.reconcile.controller import Again, Tools
from pilothouse.reconcile.runner import run_all
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.loop import run

Story = Callable[[Client, LoopClock], Awaitable[None]]


def _play(story: Story) -> None:
    """A story in a whole cluster with a simulated node."""

    async def main(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance, manager=ControllersConfig(), nodes=1) as cluster:
            await clock.sleep(1)
            await story(cluster.client(), clock)

    run(main)


def _service(**spec: Any) -> JsonObject:
    spec = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}], **spec}
    return {"metadata": {"name": "web", "namespace": "default"}, "spec": spec}


def _pod(name: str, **annotations: str) -> JsonObject:
    meta = {"name": name, "namespace": "default", "labels": {"app": "web"}, "annotations": annotations}
    return {"metadata": meta, "spec": {"containers": [{"name": "c", "image": "example:1"}], "nodeName": "node-0"}}


async def _pods(client: Client) -> tuple[list[str], list[str]]:
    """The pods that are said to be ready, and those that are not."""
    found = await client.get(Endpoints, "web", "default")
    ready = [address.targetRef.name for subset in found.subsets for address in subset.addresses]
    others = [address.targetRef.name for subset in found.subsets for address in subset.notReadyAddresses]
    return sorted(ready), sorted(others)


def test_pods_come_get_ready_and_go() -> None:
    async def story(client: Client, clock: LoopClock) -> None:
        await client.create(Service, _service())
        await clock.sleep(1)
        assert await _pods(client) == ([], [])
        await client.create(Pod, _pod("a"))
        await client.create(Pod, _pod("b", **{"pilothouse.dev/ready-after": "10"}))
        await clock.sleep(5)
        assert await _pods(client) == (["a"], ["b"])
        await clock.sleep(10)
        assert await _pods(client) == (["a", "b"], [])
        await client.delete(Pod, "a", "default")
        await clock.sleep(0.5)
        assert await _pods(client) == (["b"], [])

    _play(story)


def test_they_go_with_their_service() -> None:
    async def story(client: Client, clock: LoopClock) -> None:
        await client.create(Service, _service())
        await clock.sleep(1)
        await client.delete(Endpoints, "web", "default")
        await clock.sleep(1)
        assert await _pods(client) == ([], [])
        await client.delete(Service, "web", "default")
        await clock.sleep(1)
        with pytest.raises(NotFound):
            await _pods(client)
        await client.create(Service, _service())
        await client.delete(Service, "web", "default")
        await clock.sleep(1)
        with pytest.raises(NotFound):
            await _pods(client)

    _play(story)


@pytest.mark.parametrize("spec", [{"type": "ExternalName", "externalName": "a.b", "ports": []}, {"selector": None}])
def test_what_others_publish_is_left_alone(spec: JsonObject) -> None:
    async def story(client: Client, clock: LoopClock) -> None:
        await client.create(Pod, _pod("a"))
        mine = {"metadata": {"name": "web"}, "subsets": [{"addresses": [{"ip": "10.9.9.9"}]}]}
        await client.create(Endpoints, mine, "default")
        await client.create(Service, _service(**spec))
        await clock.sleep(5)
        assert (await client.get(Endpoints, "web", "default")).subsets[0].addresses[0].ip == "10.9.9.9"

    _play(story)


Scene = Callable[[FakeApi, LoopClock], Awaitable[None]]


def _act(scene: Scene, before: Callable[[FakeApi], object]) -> None:
    """The controller on a fake API, a second after it began."""

    async def main(clock: LoopClock, chance: Chance) -> None:
        api = FakeApi(clock)
        before(api)
        async with Tasks() as tasks:
            run_all([EndpointsController], api.client, clock, chance, tasks)
            await clock.sleep(1)
            await scene(api, clock)

    run(main)


def _writes(api: FakeApi) -> list[str]:
    return [method for method, path in api.calls if "/endpoints" in path and method != "GET"]


def test_what_lost_its_service_meanwhile_goes_but_not_where_leaders_are_elected() -> None:
    def before(api: FakeApi) -> None:
        api.add("v1", "Endpoints", {"metadata": {"name": "lost", "namespace": "ns"}})
        leader = {"control-plane.alpha.kubernetes.io/leader": "{}"}
        api.add("v1", "Endpoints", {"metadata": {"name": "lock", "namespace": "ns", "annotations": leader}})

    async def scene(api: FakeApi, clock: LoopClock) -> None:
        assert [found["metadata"]["name"] for found in api.of("endpoints")] == ["lock"]
        assert _writes(api) == ["DELETE"]
        api.add("v1", "Service", {"metadata": {"name": "lock", "namespace": "ns"}, "spec": {}})
        await clock.sleep(1)
        api.remove("services", "ns", "lock")
        await clock.sleep(1)
        assert [found["metadata"]["name"] for found in api.of("endpoints")] == ["lock"]

    _act(scene, before)


def test_failures_are_told() -> None:
    def before(api: FakeApi) -> None:
        api.add("v1", "Service", _service())
        api.fail = lambda method, path: errors.Forbidden("no") if method == "POST" and "/endpoints" in path else None

    async def scene(api: FakeApi, clock: LoopClock) -> None:
        (event,) = api.of("events")
        assert (event["reason"], event["type"], event["source"]["component"]) == (
            "FailedToCreateEndpoint", "Warning", "endpoint-controller",
        )  # fmt: skip
        assert event["message"] == "Failed to create endpoint for service default/web: no"
        api.fail = lambda method, path: errors.Forbidden("never") if method == "PUT" and "/endpoints" in path else None
        await clock.sleep(5)
        api.put("services", "default", "web", {"metadata": {"labels": {"x": "y"}}})
        await clock.sleep(1)
        assert "Failed to update endpoint default/web: never" in [event["message"] for event in api.of("events")]

    _act(scene, before)


def test_a_namespace_that_ends_takes_no_endpoints_and_nobody_minds() -> None:
    ending = errors.Forbidden("ending", details={"causes": [{"reason": "NamespaceTerminating"}]})

    def before(api: FakeApi) -> None:
        api.add("v1", "Service", _service())
        api.fail = lambda method, path: ending if method == "POST" and "/endpoints" in path else None

    async def scene(api: FakeApi, _clock: LoopClock) -> None:
        assert _writes(api) == ["POST"]
        assert api.of("events") == []

    _act(scene, before)


def test_nothing_is_planned_from_a_copy_that_was_replaced() -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        api, key = FakeApi(clock), Key("default", "web")
        async with Tasks() as tasks:
            informers = ToldInformers(api.client(), clock, tasks)
            events = EventRecorder(api.client(), clock, tasks, "test")
            controller = EndpointsController(Tools(api.client(), informers, clock, chance, events))
            controller.watch()

            def relabel(version: str) -> None:
                service = _service()
                service["metadata"] |= {"labels": {"x": version}, "resourceVersion": version}
                informers.show(Service, service)

            relabel("1")
            assert await controller.reconcile(key) is None
            assert await controller.reconcile(key) == Again(1.0)
            assert _writes(api) == ["POST", "POST"]
            informers.show(Endpoints, api.get("endpoints", "default", "web"))
            api.put("endpoints", "default", "web", {"metadata": {"annotations": {"by": "somebody"}}})
            relabel("2")
            assert await controller.reconcile(key) == Again(1.0)
            assert _writes(api).pop() == "PUT"
            informers.show(Endpoints, api.get("endpoints", "default", "web"))
            api.calls.clear()
            assert await controller.reconcile(key) is None
            relabel("3")
            assert await controller.reconcile(key) == Again(1.0)
            assert _writes(api) == ["PUT"]
            await controller.queue.get()
            controller.queue.done(key)
            assert controller.queue.idle()

            informers.show(Endpoints, api.get("endpoints", "default", "web"))
            assert controller.queue.depth == 1
            assert await controller.reconcile(key) is None
            assert api.get("endpoints", "default", "web")["metadata"]["labels"]["x"] == "3"
            assert api.of("events") == []

    run(main)
