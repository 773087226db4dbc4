"""CPU a pod costs the scheduler: to decide alone, and from create to bound with an API server in the same loop.

Run: python benchmarks/schedule.py. The aims are 25 us to decide with basic plugins, 0.4 ms a pod in the scheduler.
"""

import asyncio
import gc
from time import perf_counter, process_time
from typing import Any

from pilothouse.api.types.core_v1 import Node, Pod
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.scheduler import main as scheduler
from pilothouse.scheduler import profile
from pilothouse.scheduler.cycle import Cycle, Placement
from pilothouse.scheduler.main import SchedulerConfig
from pilothouse.scheduler.nodes import Nodes
from pilothouse.scheduler.pod_info import PodInfo
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.loop import run

ROUNDS, PODS = 5, 2000
WHOLE_NODES, WHOLE_PODS = 1000, 1000


def node(number: int) -> dict[str, Any]:
    offered = {"cpu": "16", "memory": "64Gi", "ephemeral-storage": "100Gi", "pods": "110"}
    labels = {"kubernetes.io/hostname": f"node-{number}", "topology.kubernetes.io/zone": f"zone-{number % 3}"}
    taints = [{"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}] if number % 10 == 0 else []
    images = [{"names": [f"example.org/app-{n}:1"], "sizeBytes": 50_000_000 * n} for n in range(number % 20)]
    return {
        "metadata": {"name": f"node-{number}", "labels": labels},
        "spec": {"taints": taints},
        "status": {"capacity": offered, "allocatable": offered, "images": images},
    }


def pod(number: int, **spec: Any) -> dict[str, Any]:
    requests = {"cpu": f"{100 + number % 5 * 50}m", "memory": "256Mi"}
    container = {"name": "app", "image": "example.org/app-7:1", "resources": {"requests": requests}}
    meta = {"name": f"pod-{number}", "namespace": "default", "uid": f"uid-{number}"}
    return {"metadata": meta, "spec": {"containers": [container], "schedulerName": "default-scheduler", **spec}}


def decide(count: int, **spec: Any) -> float:
    """Microseconds a pod in the quietest of the rounds, reading the pod included."""
    best = float("inf")
    for _ in range(ROUNDS):
        nodes = Nodes()
        for number in range(count):
            nodes.set_node(Node(node(number)))
        cycle = Cycle([kind() for kind in profile.found()], nodes, Chance(1))
        views = [Pod(pod(number, **spec)) for number in range(PODS)]
        gc.collect()
        start = perf_counter()
        for view in views:
            info = PodInfo.of(view)
            found = cycle.place(info)
            assert isinstance(found, Placement)
            nodes.assume(info, found.node)
        best = min(best, (perf_counter() - start) / PODS)
    return best * 1e6


def whole() -> float:
    """Milliseconds of CPU a pod from create to bound, API server and scheduler together, the creation of nodes not."""

    async def story(clock: LoopClock, chance: Chance) -> float:
        async with Cluster(clock, chance) as cluster, Tasks() as tasks:
            client = cluster.client()
            for number in range(WHOLE_NODES):
                await client.create(Node, node(number))
            ready = asyncio.Event()
            config = SchedulerConfig(leader_elect=False)
            tasks.spawn(scheduler.run(config, cluster.client(), clock, chance, ready.set), name="scheduler")
            await ready.wait()
            start = process_time()
            for number in range(WHOLE_PODS):
                await client.create(Pod, pod(number))
            while True:
                found = await client.list(Pod, "default", fields="spec.nodeName=")
                if not found.items:
                    return (process_time() - start) / WHOLE_PODS
                await clock.sleep(0.1)

    return run(story) * 1e3


def main() -> None:
    selector = {"nodeSelector": {"topology.kubernetes.io/zone": "zone-1"}}
    for count in (1000, 5000):
        print(f"{count} nodes: {decide(count):.0f} us a pod to decide, {decide(count, **selector):.0f} with a selector")
    print(f"{WHOLE_NODES} nodes: {whole():.2f} ms of CPU a pod from create to bound, API server included")


if __name__ == "__main__":
    main()
