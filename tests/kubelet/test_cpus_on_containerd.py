"""Real containers have processors of their own, and others leave those: on a containerd of the test's own."""

from pathlib import Path

import pytest

from kubelet.harness import FakeNode, pod
from kubelet.managers.giving import More
from kubelet.test_on_containerd import machine, run, shell
from pilothouse.kubelet.admission import NodeAdmission
from pilothouse.kubelet.containerd import ContainerdConfig
from pilothouse.kubelet.cri.applied import LinuxResources
from pilothouse.kubelet.cri.client import CriClient
from pilothouse.kubelet.managers.cpu_list import parse
from pilothouse.kubelet.managers.hand_out import Affinities, AlignedHandout
from pilothouse.kubelet.managers.policy import Exclusive
from pilothouse.kubelet.managers.static_cpus import StaticCpus
from pilothouse.kubelet.managers.static_memory import StaticMemory
from pilothouse.kubelet.managers.topology import Topology
from pilothouse.kubelet.parts.cpu_sets import reconcile

pytestmark = pytest.mark.node
__all__ = ["machine"]
ALLOWED = ["/bin/busybox", "grep", "Cpus_allowed_list", "/proc/1/status"]


def test_processors_are_given_and_left(machine: ContainerdConfig, tmp_path: Path) -> None:
    topology = Topology.read()
    if len(topology.ids) < 2:
        pytest.skip("needs two processors")
    reserved = min(topology.ids)

    async def story(node: FakeNode, cri: CriClient) -> None:
        async def allowed(name: str) -> frozenset[int]:
            made = node.state(name)["containerID"].removeprefix("containerd://")
            told = await cri.exec_sync(made, ALLOWED, 5)
            return parse(told.stdout.decode().split(":")[1])

        async def resources(name: str) -> LinuxResources | None:
            return (await cri.container_status(node.state(name)["containerID"].removeprefix("containerd://"))).resources

        policy, active = Exclusive(cpu_policy="static", topology_policy="restricted"), {"uid-web", "uid-own"}
        cpus = StaticCpus(topology, frozenset({reserved}), policy, tmp_path, lambda: active)
        more = More()
        kept = {one.node: {"memory": 1 << 20} for one in topology.memory}
        memory = StaticMemory(topology.memory, kept, tmp_path, lambda: active)
        given = AlignedHandout(
            policy, topology.every_node, [cpus, memory], cpus, more, more, lambda: active, Affinities(), memory
        )
        node.contributor, node.cpus = given, cpus
        node.admission = NodeAdmission(
            node.own, node.runtime, lambda: node.workers, node.told, node.clock, node.traits, handout=given
        )
        script, amounts = "exec /bin/busybox sleep 1000", {"cpu": "1", "memory": "64Mi"}
        node.add(pod(containers=[shell(script)], terminationGracePeriodSeconds=0))
        await node.until(lambda: node.pods["web"].status.phase == "Running", 20)
        assert await allowed("web") == topology.ids
        node.add(pod("own", containers=[shell(script, resources={"limits": amounts, "requests": amounts})]))
        await node.until(lambda: node.pods["own"].status.phase == "Running", 20)
        own = await allowed("own")
        assert len(own) == 1
        assert reserved not in own
        has = await resources("own")
        assert has is not None
        (place,) = [cpu.node for cpu in topology.cpus if cpu.id in own]
        assert (has.cpuset_mems, max(has.cpu_quota, 0)) == (str(place), 0)
        told = await reconcile(cri, node.workers, cpus, {})
        assert await allowed("web") == topology.ids - own
        assert await allowed("own") == own
        active.discard("uid-own")
        node.delete_pod("own", 0)
        await node.until(lambda: "own" not in node.pods, 20)
        await reconcile(cri, node.workers, cpus, told)
        assert await allowed("web") == topology.ids

    run(machine, tmp_path, story)
