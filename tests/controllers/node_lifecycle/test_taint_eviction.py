from typing import Any

import pytest

from pilothouse.api.machinery.errors import NotFound
from pilothouse.api.types.core_v1 import Event, Node, Pod, Taint, Toleration
from pilothouse.client.client import Client
from pilothouse.controllers.main import ControllersConfig
from pilothouse.controllers.node_lifecycle.taint_eviction import TaintEvictionController, patience
from pilothouse.reconcile.pods import condition_of
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.loop import run

A, B = {"key": "a", "effect": "NoExecute"}, {"key": "b", "effect": "NoExecute"}


def _tolerates(key: str, seconds: int | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {"key": key, "operator": "Exists"}
    return found if seconds is None else {**found, "effect": "NoExecute", "tolerationSeconds": seconds}


@pytest.mark.parametrize(
    ("tolerations", "taints", "seconds"),
    [
        ([], [], None),
        ([], [{"key": "a", "effect": "NoSchedule"}], None),
        ([], [A], 0.0),
        ([_tolerates("a")], [A], None),
        ([_tolerates("a")], [A, B], 0.0),
        ([_tolerates("a", 300)], [A], 300.0),
        ([_tolerates("a", 300), _tolerates("b", 60)], [A, B], 60.0),
        ([_tolerates("a", 300), _tolerates("b")], [A, B], 300.0),
        ([_tolerates("a", 300), _tolerates("b")], [B], None),
        ([_tolerates("a", -5)], [A], 0.0),
        ([_tolerates("a", 10), _tolerates("a")], [A], 10.0),
    ],
)
def test_how_long_a_pod_stays(
    tolerations: list[dict[str, Any]], taints: list[dict[str, Any]], seconds: float | None
) -> None:
    assert patience([Toleration(found) for found in tolerations], [Taint(found) for found in taints]) == seconds


def _pod(name: str, *tolerations: dict[str, Any], node: str = "n") -> dict[str, Any]:
    container = {"name": "c", "image": "example:1"}
    spec = {"nodeName": node, "containers": [container], "tolerations": list(tolerations)}
    return {"metadata": {"name": name, "namespace": "default"}, "spec": spec}


async def _marked(client: Client) -> dict[str, bool]:
    """Which of the pods have been told to go."""
    return {pod.metadata.name: pod.metadata.deletionTimestamp is not None for pod in (await client.list(Pod)).items}


async def _told(client: Client) -> list[str]:
    found = [event.raw for event in (await client.list(Event)).items]
    return [event["message"] for event in found if event["reason"] == "TaintManagerEviction"]


async def _taint(client: Client, *taints: dict[str, Any]) -> None:
    await client.patch(Node, "n", "", {"spec": {"taints": list(taints)}})


def test_pods_leave_when_their_patience_ends() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance, controllers=[TaintEvictionController]) as cluster:
            client = cluster.client()
            await client.create(Node, {"metadata": {"name": "n"}})
            for pod in (_pod("now"), _pod("soon", _tolerates("a", 60)), _pod("never", _tolerates("a"))):
                await client.create(Pod, pod)
            await clock.sleep(100)
            assert not any((await _marked(client)).values())
            await _taint(client, A)
            await clock.sleep(59)
            assert await _marked(client) == {"now": True, "soon": False, "never": False}
            target = condition_of(await client.get(Pod, "now", "default"), "DisruptionTarget")
            assert (target.status, target.reason, target.message) == (
                "True",
                "DeletionByTaintManager",
                "Taint manager: deleting due to NoExecute taint",
            )
            await client.create(Pod, _pod("late"))
            await clock.sleep(2)
            assert await _marked(client) == {"now": True, "soon": True, "never": False, "late": True}
            told = [f"Marking for deletion Pod default/{name}" for name in ("late", "now", "soon")]
            assert sorted(await _told(client)) == told

    run(story)


def test_a_taint_that_goes_in_time_spares_its_pods() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance, controllers=[TaintEvictionController]) as cluster:
            client = cluster.client()
            await client.create(Node, {"metadata": {"name": "n"}, "spec": {"taints": [A]}})
            await client.create(Pod, _pod("p", _tolerates("a", 60), _tolerates("b", 60)))
            await clock.sleep(50)
            await _taint(client)
            await clock.sleep(5)
            assert await _told(client) == ["Cancelling deletion of Pod default/p"]
            await _taint(client, A)
            await clock.sleep(50)
            assert await _marked(client) == {"p": False}
            await clock.sleep(15)
            assert await _marked(client) == {"p": True}

    run(story)


def test_a_taint_added_to_another_does_not_begin_anew() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance, controllers=[TaintEvictionController]) as cluster:
            client = cluster.client()
            await client.create(Node, {"metadata": {"name": "n"}, "spec": {"taints": [A]}})
            await client.create(Pod, _pod("p", _tolerates("a", 60), _tolerates("b", 60)))
            await clock.sleep(50)
            await _taint(client, A, B)
            await clock.sleep(11)
            assert await _marked(client) == {"p": True}

    run(story)


def test_pods_of_a_silent_node_are_told_to_go_after_five_minutes() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance, manager=ControllersConfig(), nodes=3) as cluster:
            client = cluster.client()
            await clock.sleep(6)
            await client.create(Pod, _pod("p", node="node-0"))
            await clock.sleep(3)
            cluster.nodes.silence("node-0")
            await clock.sleep(345)
            assert await _marked(client) == {"p": False}
            await clock.sleep(25)
            assert await _marked(client) == {"p": True}
            await cluster.nodes.revive("node-0")
            await clock.sleep(5)
            with pytest.raises(NotFound):
                await client.get(Pod, "p", "default")

    run(story)
