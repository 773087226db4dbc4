import subprocess
import sys
from pathlib import Path
from typing import Any

from pilothouse.api.types.apps_v1 import ReplicaSet
from pilothouse.api.types.core_v1 import Pod
from pilothouse.client.client import Client
from pilothouse.controllers.replicaset import ReplicaSetController
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock, LoopClock
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.loop import run


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
    async with Cluster(clock, chance, controllers=[ReplicaSetController]) as cluster:
        client = cluster.client()
        for name, replicas in (("a", 3), ("b", 5), ("c", 2)):
            await client.create(ReplicaSet, _set(name, replicas))
        names = await _pods(client, clock, 10)
        await client.delete(Pod, names[3], "default")
        await _pods(client, clock, 10)
        await client.patch(ReplicaSet, "b", "default", {"spec": {"replicas": 0}})
        await _pods(client, clock, 5)
        await clock.sleep(60)
        written = []
        last = await cluster.store.revision()
        async with cluster.store.watch("", after=1) as events:
            async for event in events:
                written.append(
                    b"%d %b %b" % (event.revision, event.key.encode(), event.record.value if event.record else b"-")
                )
                if event.revision == last:
                    return b"\n".join(written)
    raise AssertionError("unreachable")


def test_the_same_seed_gives_the_same_history_whatever_the_hash_seed() -> None:
    script = (
        f"import sys; sys.path[:0] = {[str(Path(__file__).parent)]!r}\n"
        "from pilothouse.testing.loop import run\n"
        "import test_cluster\n"
        "sys.stdout.buffer.write(run(test_cluster.history))\n"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", script], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True, timeout=60
        ).stdout
        for seed in ("1", "2")
    ]
    assert told[0].count(b"\n") > 20
    assert told[0] == told[1]
