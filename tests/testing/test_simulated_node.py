from typing import Any

import pytest

from pilothouse.api.machinery.errors import NotFound
from pilothouse.api.types.apps_v1 import Deployment
from pilothouse.api.types.coordination_v1 import Lease
from pilothouse.api.types.core_v1 import Node, Pod
from pilothouse.client.client import Client
from pilothouse.controllers.main import ControllersConfig
from pilothouse.reconcile.pods import condition_of, is_ready
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.loop import run
from pilothouse.testing.simulated_node import SimulatedNodesConfig
from pilothouse.testing.simulated_node import run as run_nodes
from pilothouse.testing.simulated_pod import EXIT_CODE


def _pod(name: str, node: str, **more: Any) -> dict[str, Any]:
    spec = {"nodeName": node, "containers": [{"name": "c", "image": "example:1"}], **more.pop("spec", {})}
    return {"metadata": {"name": name, "namespace": "default", **more}, "spec": spec}


async def _get(client: Client, name: str) -> Pod:
    return await client.get(Pod, name, "default")


def test_nodes_register_report_and_renew() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance, nodes=SimulatedNodesConfig(count=3, zones=("a", "b"))) as cluster:
            client = cluster.client()
            nodes = (await client.list(Node)).items
            assert [node.metadata.name for node in nodes] == ["node-0", "node-1", "node-2"]
            assert [node.metadata.labels["topology.kubernetes.io/zone"] for node in nodes] == ["a", "b", "a"]
            assert nodes[1].status.allocatable["cpu"] == "8"
            assert [address.address for address in nodes[1].status.addresses] == ["172.20.0.3", "node-1"]
            assert {found.type: found.status for found in nodes[0].status.conditions}["Ready"] == "True"
            await clock.sleep(1)
            lease = await client.get(Lease, "node-0", "kube-node-lease")
            await clock.sleep(15)
            later = await client.get(Lease, "node-0", "kube-node-lease")
            assert (later.spec.renewTime or 0) > (lease.spec.renewTime or 0)
            before = _heartbeat(nodes[0])
            await clock.sleep(320)
            assert _heartbeat(await client.get(Node, "node-0")) > before

    run(story)


def _heartbeat(node: Node) -> float:
    return next(found.lastHeartbeatTime or 0 for found in node.status.conditions if found.type == "Ready")


def test_a_pod_lives_and_ends() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance, nodes=2) as cluster:
            client = cluster.client()
            await client.create(Pod, _pod("a", "node-1"))
            await client.create(Pod, _pod("b", "node-1"))
            await client.create(Pod, _pod("host", "node-1", spec={"hostNetwork": True}))
            await client.create(Pod, _pod("elsewhere", "unknown"))
            await clock.sleep(0.5)
            assert (await _get(client, "a")).status.phase == "Pending"
            await clock.sleep(2)
            pods = [await _get(client, name) for name in ("a", "b", "host")]
            assert [pod.status.phase for pod in pods] == ["Running"] * 3
            assert all(is_ready(pod) for pod in pods)
            assert [pod.status.podIP for pod in pods] == ["10.250.1.2", "10.250.1.3", "172.20.0.3"]
            assert (await _get(client, "elsewhere")).status.startTime is None
            await client.delete(Pod, "a", "default")
            await clock.sleep(0.5)
            assert (await _get(client, "a")).metadata.deletionTimestamp is not None
            await clock.sleep(2)
            with pytest.raises(NotFound):
                await _get(client, "a")

    run(story)


def test_a_pod_that_does_one_thing_ends() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance, nodes=1) as cluster:
            client = cluster.client()
            once = {"restartPolicy": "Never"}
            await client.create(Pod, _pod("good", "node-0", spec=once, annotations={EXIT_CODE: "0"}))
            await client.create(Pod, _pod("bad", "node-0", spec=once, annotations={EXIT_CODE: "1"}))
            await client.create(Pod, _pod("again", "node-0", annotations={EXIT_CODE: "1"}))
            await clock.sleep(60)
            assert [(await _get(client, name)).status.phase for name in ("good", "bad")] == ["Succeeded", "Failed"]
            assert (await _get(client, "again")).status.containerStatuses[0].restartCount == 2

    run(story)


def test_a_silent_node_does_nothing_until_it_is_back() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance, nodes=1) as cluster:
            client = cluster.client()
            await clock.sleep(1)
            cluster.nodes.silence("node-0")
            lease = await client.get(Lease, "node-0", "kube-node-lease")
            await client.create(Pod, _pod("a", "node-0"))
            await clock.sleep(600)
            assert (await _get(client, "a")).status.startTime is None
            assert (await client.get(Lease, "node-0", "kube-node-lease")) == lease
            await cluster.nodes.revive("node-0")
            await clock.sleep(2)
            assert is_ready(await _get(client, "a"))
            assert (await client.get(Lease, "node-0", "kube-node-lease")) != lease

    run(story)


def test_another_process_takes_over_what_was_begun() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance) as cluster:
            client = cluster.client()
            config = SimulatedNodesConfig()
            ready: list[bool] = []
            async with Tasks() as tasks:
                tasks.spawn(run_nodes(config, client, clock, chance, lambda: ready.append(True)), name="nodes")
                await clock.sleep(1)
                assert ready
                await client.create(Pod, _pod("a", "node-0"))
                await clock.sleep(0.5)
            assert not is_ready(await _get(client, "a"))
            async with Tasks() as tasks:
                tasks.spawn(run_nodes(config, client, clock, chance), name="nodes")
                await clock.sleep(3)
                pod = await _get(client, "a")
                assert is_ready(pod)
                assert condition_of(pod, "PodScheduled").status == "True"

    run(story)


def test_on_a_whole_cluster_pods_take_addresses_of_their_nodes_range() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance, manager=ControllersConfig(root_ca="PEM"), nodes=3) as cluster:
            client = cluster.client()
            labels = {"app": "web"}
            template = {"metadata": {"labels": labels}, "spec": _pod("", "node-2")["spec"]}
            spec = {"replicas": 5, "selector": {"matchLabels": labels}, "template": template}
            await clock.sleep(5)
            await client.create(Deployment, {"metadata": {"name": "web", "namespace": "default"}, "spec": spec})
            await clock.sleep(10)
            assert (await client.get(Deployment, "web", "default")).status.readyReplicas == 5
            node = await client.get(Node, "node-2")
            pods = (await client.list(Pod, "default", labels="app=web")).items
            start = node.spec.podCIDR.removesuffix("0/24")
            assert sorted(pod.status.podIP for pod in pods) == [f"{start}{number}" for number in range(2, 7)]

    run(story)
