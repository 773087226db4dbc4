from typing import Any

import pytest

from pilothouse.api.machinery.errors import NotFound
from pilothouse.api.types.core_v1 import Node, Pod
from pilothouse.client.client import Client
from pilothouse.controllers.main import ControllersConfig
from pilothouse.controllers.pod_gc import ORPHANED, PodGcController, Removal, failed_status, plan_removals
from pilothouse.reconcile.pods import condition_of
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.loop import run

NOW = 1_767_225_600.0
GOING = "2026-01-01T00:00:00Z"


def _pod(name: str, phase: str = "Running", node: str = "n", *, going: bool = False, **status: Any) -> Pod:
    meta: dict[str, Any] = {"name": name, "namespace": "default", "uid": f"uid-{name}"}
    meta["creationTimestamp"] = f"2026-01-01T00:00:0{ord(name[0]) - ord('a')}Z"
    if going:
        meta["deletionTimestamp"] = GOING
    return Pod({"metadata": meta, "spec": {"nodeName": node}, "status": {"phase": phase, **status}})


def _node(name: str, *taints: str, ready: str = "True") -> Node:
    return Node(
        {
            "metadata": {"name": name},
            "spec": {"taints": [{"key": key, "effect": "NoExecute"} for key in taints]},
            "status": {"conditions": [{"type": "Ready", "status": ready}]},
        }
    )


OUT = "node.kubernetes.io/out-of-service"


@pytest.mark.parametrize(
    ("pods", "gone", "threshold", "names"),
    [
        pytest.param([_pod("a"), _pod("b", "Failed"), _pod("c", "Pending", "")], [], 1, [], id="nothing to do"),
        pytest.param([_pod(n, "Succeeded") for n in "cba"], [], 1, ["a", "b"], id="the oldest of those that ended"),
        pytest.param([_pod(n, "Succeeded") for n in "cba"], [], 0, [], id="no threshold"),
        pytest.param(
            [_pod("a", "Failed"), _pod("b", "Failed", reason="Evicted"), _pod("c")], [], 1, ["b"], id="evicted first"
        ),
        pytest.param([_pod("a", node="x"), _pod("b")], ["x"], 9, ["a"], id="its node is gone"),
        pytest.param([_pod("a", node="x")], [], 9, [], id="its node is only missing"),
        pytest.param([_pod("a", "Pending", "", going=True)], [], 9, ["a"], id="told to end before it had a node"),
        pytest.param([_pod("a", going=True)], [], 9, [], id="told to end"),
        pytest.param([_pod("a", node="out", going=True), _pod("b", node="out")], [], 9, ["a"], id="out of service"),
        pytest.param([_pod("a", node="up", going=True)], [], 9, [], id="out of service but ready"),
        pytest.param([_pod("a", node="down", going=True)], [], 9, [], id="not ready"),
        pytest.param([_pod("a", "Failed", "x"), _pod("b", "Failed")], ["x"], 1, ["a"], id="for two reasons, once"),
    ],
)
def test_what_is_deleted(pods: list[Pod], gone: list[str], threshold: int, names: list[str]) -> None:
    nodes = [_node("n"), _node("out", OUT, ready="Unknown"), _node("up", OUT), _node("down", ready="False")]
    found = plan_removals(pods, {node.metadata.name: node for node in nodes}, gone, threshold)
    assert [removal.pod.metadata.name for removal in found] == names


def test_an_orphan_is_told_why() -> None:
    orphan = _pod("a", node="x")
    assert plan_removals([orphan], {}, ["x"], 9) == [Removal(orphan, ORPHANED)]
    status = failed_status(orphan, ORPHANED, NOW)
    assert status == {
        "phase": "Failed",
        "conditions": [
            {
                "type": "DisruptionTarget",
                "status": "True",
                "reason": "DeletionByPodGC",
                "message": "PodGC: node no longer exists",
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            }
        ],
    }
    assert failed_status(_pod("a", "Succeeded"), ORPHANED, NOW) is None
    assert failed_status(_pod("a"), None, NOW) == {"phase": "Failed"}


def _manifest(name: str, **spec: Any) -> dict[str, Any]:
    spec = {"containers": [{"name": "c", "image": "example:1"}], **spec}
    meta = {"name": name, "namespace": "default", "finalizers": ["example.com/hold"]}
    return {"metadata": meta, "spec": spec}


async def _phase(client: Client, name: str) -> str:
    return (await client.get(Pod, name, "default")).status.phase


def test_pods_of_a_node_that_is_gone_go_after_its_quarantine() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance, manager=ControllersConfig(), nodes=2) as cluster:
            client = cluster.client()
            await client.create(Pod, _manifest("orphan", nodeName="node-0"))
            await client.create(Pod, _manifest("kept", nodeName="node-1"))
            await clock.sleep(15)
            cluster.nodes.silence("node-0")
            await client.delete(Node, "node-0")
            await clock.sleep(39)
            assert await _phase(client, "orphan") == "Running"
            await clock.sleep(25)
            orphan = await client.get(Pod, "orphan", "default")
            assert (orphan.status.phase, orphan.metadata.deletionGracePeriodSeconds) == ("Failed", 0)
            assert condition_of(orphan, "DisruptionTarget").reason == "DeletionByPodGC"
            assert await _phase(client, "kept") == "Running"

    run(story)


def test_a_pod_that_was_told_to_end_before_it_had_a_node_goes() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance, controllers=[PodGcController]) as cluster:
            client = cluster.client()
            pod = _manifest("p", terminationGracePeriodSeconds=600)
            await client.create(Pod, pod)
            await client.delete(Pod, "p", "default")
            await clock.sleep(25)
            assert await _phase(client, "p") == "Failed"
            await client.patch(Pod, "p", "default", {"metadata": {"finalizers": None}})
            await clock.sleep(25)
            with pytest.raises(NotFound):
                await _phase(client, "p")

    run(story)
