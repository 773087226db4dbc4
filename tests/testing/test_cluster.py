import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from pilothouse.api.types.apps_v1 import Deployment, ReplicaSet
from pilothouse.api.types.core_v1 import Pod
from pilothouse.client.client import Client
from pilothouse.controllers.main import ControllersConfig
from pilothouse.controllers.replicaset import ReplicaSetController
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock, LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.scheduler.main import SchedulerConfig
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.loop import run
from pilothouse.testing.simulated_node import SimulatedNodesConfig


def _set(name: str, replicas: int) -> dict[str, Any]:
    labels = {"app": name}
    container = {"name": "c", "image": "example:1"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template},
    }


async def _pods(client: Client, clock: Clock, count: int) -> list[str]:
    """The names of the pods, once there are so many."""
    for _ in range(200):
        found = await client.list(Pod, "default")
        if len(found.items) == count:
            return [pod.metadata.name for pod in found.items]
        await clock.sleep(0.1)
    raise AssertionError(f"{len(found.items)} pods instead of {count}")


def test_a_replica_set_has_its_pods() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance, controllers=[ReplicaSetController]) as cluster:
            client = cluster.client()
            await client.create(ReplicaSet, _set("web", 3))
            first, *kept = await _pods(client, clock, 3)
            await client.delete(Pod, first, "default")
            again = await _pods(client, clock, 3)
            assert first not in again
            assert set(kept) < set(again)
            await client.patch(ReplicaSet, "web", "default", {"spec": {"replicas": 1}})
            await _pods(client, clock, 1)
            for _ in range(100):
                found = await client.get(ReplicaSet, "web", "default")
                if found.status.replicas == 1:
                    break
                await clock.sleep(0.1)
            assert (found.status.replicas, found.status.observedGeneration) == (1, found.metadata.generation)

    run(story)


async def history(clock: Clock, chance: Chance) -> bytes:
    """Everything that was written while three sets came and went."""
    async with Cluster(clock, chance, controllers=[ReplicaSetController]) as cluster, _written(cluster) as written:
        client = cluster.client()
        for name, replicas in (("a", 3), ("b", 5), ("c", 2)):
            await client.create(ReplicaSet, _set(name, replicas))
        names = await _pods(client, clock, 10)
        await client.delete(Pod, names[3], "default")
        await _pods(client, clock, 10)
        await client.patch(ReplicaSet, "b", "default", {"spec": {"replicas": 0}})
        await _pods(client, clock, 5)
        await clock.sleep(60)
        return b"\n".join(written)


async def whole_history(clock: Clock, chance: Chance) -> bytes:
    """Everything that was written while a node of a whole cluster fell silent for ten minutes."""
    manager, nodes = ControllersConfig(root_ca="PEM"), SimulatedNodesConfig(count=4, zones=("a", "b"))
    async with (
        Cluster(clock, chance, manager=manager, scheduler=SchedulerConfig(), nodes=nodes, fair=True) as cluster,
        _written(cluster) as written,
    ):
        client = cluster.client()
        template = _set("web", 0)["spec"]["template"]
        spec = {"replicas": 6, "selector": {"matchLabels": {"app": "web"}}, "template": template}
        await client.create(Deployment, {"metadata": {"name": "web", "namespace": "default"}, "spec": spec})
        await clock.sleep(30)
        cluster.nodes.silence("node-1")
        await clock.sleep(600)
        await cluster.nodes.revive("node-1")
        await clock.sleep(30)
        found = await client.get(Deployment, "web", "default")
        assert found.status.availableReplicas == 6
        assert cluster.flows is not None
        assert {name for (_, name), tally in cluster.flows.tallies.items() if tally.dispatched} >= {
            "exempt", "kube-controller-manager", "kube-scheduler", "kube-system-service-accounts",
        }  # fmt: skip
        return b"\n".join(written)


@asynccontextmanager
async def _written(cluster: Cluster) -> AsyncIterator[list[bytes]]:
    """The store's whole history, as it grows."""
    written: list[bytes] = []

    async def follow() -> None:
        async with cluster.store.watch("", after=1) as events:
            async for event in events:
                value = event.record.value if event.record else b"-"
                written.append(b"%d %b %b" % (event.revision, event.key.encode(), value))

    async with Tasks() as tasks:
        tasks.spawn(follow(), name="history")
        yield written


@pytest.mark.parametrize(("story", "least"), [("history", 20), ("whole_history", 300)])
def test_the_same_seed_gives_the_same_history_whatever_the_hash_seed(story: str, least: int) -> None:
    script = (
        f"import sys; sys.path[:0] = {[str(Path(__file__).parent)]!r}\n"
        "from pilothouse.testing.loop import run\n"
        "import test_cluster\n"
        f"sys.stdout.buffer.write(run(test_cluster.{story}))\n"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", script], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True, timeout=60
        ).stdout
        for seed in ("1", "2")
    ]
    assert told[0].count(b"\n") > least
    assert told[0] == told[1]
