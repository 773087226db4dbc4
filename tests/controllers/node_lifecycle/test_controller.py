from typing import Any

import pytest

from fakes.api import FakeApi
from pilothouse.api.machinery.errors import Conflict, InternalError, StatusError
from pilothouse.api.types.core_v1 import Event, Node, Pod
from pilothouse.client.client import Client
from pilothouse.controllers.main import ControllersConfig
from pilothouse.controllers.node_lifecycle import NodeLifecycleController
from pilothouse.reconcile.pods import condition_of, is_ready
from pilothouse.reconcile.runner import run_all
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.loop import run
from pilothouse.testing.simulated_node import SimulatedNodesConfig

UNREACHABLE = "node.kubernetes.io/unreachable"
KEEP = [{"operator": "Exists"}]


def _pod(name: str, node: str, **spec: Any) -> dict[str, Any]:
    container = {"name": "c", "image": "example:1"}
    return {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"nodeName": node, "containers": [container], "tolerations": KEEP, **spec},
    }


async def _taints(client: Client, name: str) -> list[tuple[str, str]]:
    node = await client.get(Node, name)
    return [(taint.key, taint.effect) for taint in node.spec.taints]


async def _ready(client: Client, name: str) -> tuple[str, str, str]:
    node = await client.get(Node, name)
    found = next(found for found in node.status.conditions if found.type == "Ready")
    return found.status, found.reason, found.message


async def _events(client: Client, reason: str) -> list[tuple[str, str]]:
    found = [event.raw for event in (await client.list(Event)).items]
    return [(event["type"], event["message"]) for event in found if event["reason"] == reason]


def test_a_silent_node_is_unknown_tainted_and_free_again_when_it_speaks() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance, manager=ControllersConfig(), nodes=3) as cluster:
            client = cluster.client()
            await clock.sleep(10)
            assert await _taints(client, "node-1") == []
            await client.create(Pod, _pod("a", "node-1"))
            await clock.sleep(5)
            assert is_ready(await client.get(Pod, "a", "default"))
            cluster.nodes.silence("node-1")
            await clock.sleep(38)
            assert await _ready(client, "node-1") == ("True", "KubeletReady", "kubelet is posting ready status")
            await clock.sleep(19)
            told = ("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")
            assert await _ready(client, "node-1") == told
            assert (UNREACHABLE, "NoSchedule") in await _taints(client, "node-1")
            assert not is_ready(await client.get(Pod, "a", "default"))
            assert set(await _events(client, "NodeNotReady")) == {
                ("Warning", "Node is not ready"),
                ("Normal", "Node node-1 status is now: NodeNotReady"),
            }
            await clock.sleep(6)
            assert await _taints(client, "node-1") == [(UNREACHABLE, "NoSchedule"), (UNREACHABLE, "NoExecute")]
            await cluster.nodes.revive("node-1")
            await clock.sleep(6)
            assert await _taints(client, "node-1") == []
            assert is_ready(await client.get(Pod, "a", "default"))

    run(story)


def test_a_pod_that_comes_to_a_silent_node_is_not_ready() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance, manager=ControllersConfig(), nodes=3) as cluster:
            client = cluster.client()
            cluster.nodes.silence("node-1")
            await clock.sleep(70)
            manifest = _pod("a", "")
            del manifest["spec"]["nodeName"]
            pod = await client.create(Pod, manifest)
            status = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True", "reason": "Made"}]}
            await client.update(Pod, {**pod.raw, "status": status}, subresource="status")
            binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "a"}, "target": {"name": "node-1"}}
            await client.create(Pod, binding, "default", name="a", subresource="binding")
            await clock.sleep(1)
            told = condition_of(await client.get(Pod, "a", "default"), "Ready")
            assert (told.status, told.reason) == ("False", "Made")

    run(story)


def test_a_node_that_never_reported_has_longer() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance, manager=ControllersConfig(), nodes=2) as cluster:
            client = cluster.client()
            await client.create(Node, {"metadata": {"name": "mute"}})
            await clock.sleep(59)
            assert (await client.get(Node, "mute")).status.conditions == ()
            await clock.sleep(9)
            told = ("Unknown", "NodeStatusNeverUpdated", "Kubelet never posted node status.")
            assert await _ready(client, "mute") == told

    run(story)


def test_conditions_and_cordoning_keep_pods_away_at_once() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance, manager=ControllersConfig(), nodes=2) as cluster:
            client = cluster.client()
            await clock.sleep(6)
            pressed = [{"type": "MemoryPressure", "status": "True"}]
            node = await client.get(Node, "node-0")
            status = {**node.status.raw, "conditions": [*(dict(c.raw) for c in node.status.conditions[1:]), *pressed]}
            await client.update(Node, {**node.raw, "status": status}, subresource="status")
            await client.patch(Node, "node-1", "", {"spec": {"unschedulable": True}})
            await clock.sleep(0.5)
            assert await _taints(client, "node-0") == [("node.kubernetes.io/memory-pressure", "NoSchedule")]
            assert await _taints(client, "node-1") == [("node.kubernetes.io/unschedulable", "NoSchedule")]
            await client.patch(Node, "node-1", "", {"spec": {"unschedulable": None}})
            await clock.sleep(0.5)
            assert await _taints(client, "node-1") == []

    run(story)


def test_nodes_of_a_zone_are_tainted_one_every_ten_seconds() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance, manager=ControllersConfig(), nodes=6) as cluster:
            client = cluster.client()
            await clock.sleep(6)
            for name in ("node-0", "node-1"):
                cluster.nodes.silence(name)
            await clock.sleep(65)

            async def evicting() -> int:
                found = [await _taints(client, name) for name in cluster.nodes.names]
                return [(UNREACHABLE, "NoExecute") in taints for taints in found].count(True)

            assert await evicting() == 1
            await clock.sleep(12)
            assert await evicting() == 2

    run(story)


@pytest.mark.parametrize(
    ("zones", "silent", "evicting"),
    [
        pytest.param((), ("node-0", "node-1", "node-2", "node-3"), [], id="everybody is silent"),
        pytest.param((), ("node-0", "node-1", "node-2"), [], id="a good part of a small zone"),
        pytest.param(("a", "b"), ("node-0", "node-2"), ["node-0", "node-2"], id="a whole zone of two"),
    ],
)
def test_who_is_not_evicted(zones: tuple[str, ...], silent: tuple[str, ...], evicting: list[str]) -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        nodes = SimulatedNodesConfig(count=4, zones=zones)
        async with Cluster(clock, chance, manager=ControllersConfig(), nodes=nodes) as cluster:
            client = cluster.client()
            await clock.sleep(6)
            for name in silent:
                cluster.nodes.silence(name)
            await clock.sleep(200)
            found = {name: await _taints(client, name) for name in cluster.nodes.names}
            assert [name for name in found if (UNREACHABLE, "NoExecute") in found[name]] == evicting
            for name in silent:
                assert (UNREACHABLE, "NoSchedule") in found[name]
                await cluster.nodes.revive(name)
            await clock.sleep(12)
            assert [await _taints(client, name) for name in cluster.nodes.names] == [[]] * 4

    run(story)


def test_nodes_come_and_go_with_events_and_labels() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance, controllers=[NodeLifecycleController]) as cluster:
            client = cluster.client()
            await client.create(Node, {"metadata": {"name": "n", "labels": {"kubernetes.io/os": "linux"}}})
            await clock.sleep(6)
            assert (await client.get(Node, "n")).metadata.labels["beta.kubernetes.io/os"] == "linux"
            await client.delete(Node, "n")
            await clock.sleep(6)
            told = [("Normal", "Node n event: Registered Node n in Controller")]
            assert await _events(client, "RegisteredNode") == told
            gone = [("Normal", "Node n event: Removing Node n from Controller")]
            assert await _events(client, "RemovingNode") == gone

    run(story)


def _ready_list(**more: Any) -> dict[str, Any]:
    return {"conditions": [{"type": "Ready", "status": "True", **more}]}


def test_what_could_not_be_written_is_written_in_the_next_round() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        api = FakeApi(clock)
        client = api.client()
        for name in ("n", "other"):
            api.add("v1", "Node", {"metadata": {"name": name}, "status": _ready_list()})
        for name in ("a", "b"):
            api.add("v1", "Pod", {**_pod(name, "n"), "status": _ready_list()})
        failures: list[StatusError] = [InternalError("no"), Conflict("changed meanwhile"), InternalError("no")]
        awaited = [("PUT", "/api/v1/nodes/n/status")] * 2 + [("PATCH", "/api/v1/namespaces/default/pods/b/status")]

        def fail(method: str, path: str) -> StatusError | None:
            if awaited and (method, path) == awaited[0]:
                del awaited[0]
                return failures.pop(0)
            return None

        api.fail = fail
        async with Tasks() as tasks:
            run_all([NodeLifecycleController], api.client, clock, chance, tasks)
            await clock.sleep(56)
            assert (len(awaited), (await _ready(client, "n"))[0]) == (2, "True")
            await clock.sleep(5)
            assert (await _ready(client, "n"))[0] == "Unknown"
            assert [is_ready(pod) for pod in (await client.list(Pod)).items] == [False, True]
            await clock.sleep(5)
            assert [is_ready(pod) for pod in (await client.list(Pod)).items] == [False, False]
            assert awaited == []

    run(story)
