"""What a pod really uses, of the kernel and of containerd, and the limits that all pods together really have."""

from pathlib import Path

import pytest

from kubelet.harness import FakeNode, pod
from kubelet.test_on_containerd import CGROUP, machine, run, shell  # noqa: F401 - `machine` is a fixture
from pilothouse.kubelet.containerd import ContainerdConfig
from pilothouse.kubelet.cri.client import CriClient
from pilothouse.kubelet.machine import Machine, Processes
from pilothouse.kubelet.parts.node_allocatable import limit_pods
from pilothouse.kubelet.reservations import Reservations
from pilothouse.kubelet.resources.node_cgroups import pods_limits
from pilothouse.kubelet.resources.pod_cgroups import KernelPodCgroups
from pilothouse.kubelet.resources.swap import SwapFacts
from pilothouse.kubelet.runtime_config import NodeFacts
from pilothouse.kubelet.stats import PodUse, Stats
from pilothouse.kubelet.summary import NodeFigures, summary
from pilothouse.linux.cgroups import Cgroups

pytestmark = pytest.mark.node
BUSY = "while true; do :; done"


def test_a_busy_pod_and_the_room_of_all_pods(machine: ContainerdConfig, tmp_path: Path) -> None:  # noqa: F811
    groups = Cgroups.detect()
    told: list[tuple[str, str, str]] = []
    kept = Reservations(system={"memory": "1Gi", "pid": "100"})
    limits = pods_limits(Machine.read(), Processes.read().most, kept)
    assert limit_pods(groups, f"{CGROUP}/kubepods", limits, lambda *event: told.append(event))
    assert [reason for _, reason, _ in told] == ["NodeAllocatableEnforced"]
    pids = groups.place("pids", f"{CGROUP}/kubepods")
    assert pids is not None
    assert int((pids / "pids.max").read_text()) == Processes.read().most - 100

    async def story(node: FakeNode, cri: CriClient) -> None:
        swap = SwapFacts(counted=groups.counts_swap(), v2=groups.v2)
        node.facts = NodeFacts.of(Machine.read(), node.layout, "cluster.local", cgroup_v2=groups.v2, swap=swap)
        little = {"resources": {"limits": {"memory": "32Mi"}}}
        node.add(pod(containers=[shell(BUSY), shell("exec /bin/busybox sleep 1000", "idle", **little)]))
        await node.until(lambda: node.pods["web"].status.phase == "Running", 20)
        stats = Stats(
            cri, node.clock, lambda: node.workers.pods().values(), node.layout, KernelPodCgroups(groups, CGROUP),
            groups, f"{CGROUP}/kubepods", fresh=0.5,
        )  # fmt: skip
        await stats.pods()
        await node.clock.sleep(1)
        (one,) = await stats.pods()
        judge(one)
        place = groups.place("memory", one.groups["idle"].path)
        assert place is not None
        if swap.counted:
            file, limit = ("memory.swap.max", 0) if groups.v2 else ("memory.memsw.limit_in_bytes", 32 << 20)
            assert int((place / file).read_text()) == limit
        figures = NodeFigures(name="n", started=1.0, memory=1, kubepods=f"{CGROUP}/kubepods", kubepods_limit=1)
        found = summary(await stats.node(), figures, [one])
        assert found["pods"][0]["network"]["name"] == "eth0"
        assert found["node"]["systemContainers"][0]["cpu"]["usageNanoCores"] > 50_000_000

    run(machine, tmp_path, story)
    groups.remove(f"{CGROUP}/kubepods")


def judge(one: PodUse) -> None:
    """Busy containers are busy, idle ones are not, and the pod is both."""
    assert set(one.containers) == {"app", "idle"}
    busy, idle = one.groups["app"], one.groups["idle"]
    assert (busy.nano_cores or 0) > 50_000_000 > (idle.nano_cores or 0)
    assert one.whole is not None
    assert one.whole.usage.cpu_nanos >= busy.usage.cpu_nanos
    assert busy.usage.memory >= busy.usage.working_set > 0
    assert one.whole.usage.pids >= 3
    assert [interface.name for interface in one.interfaces] == ["eth0"]
    # How much it is, containerd finds out every ten seconds.
    assert one.writable["app"].capacity > one.writable["app"].available > 0
    assert one.logs["app"].inodes_used == 2
