"""The Summary, field by field: agents read it by these names."""

from typing import Any

from kubelet.using import AT, DISK, FRESH, NODE, USED
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.machine import Processes
from pilothouse.kubelet.stats import NodeUse, PodUse
from pilothouse.kubelet.summary import NodeFigures, memory_limit, summary

THEN, NOW = "2025-12-31T23:59:00Z", "2026-01-01T00:00:00Z"
FIGURES = NodeFigures(
    name="n1", started=AT - 60, memory=4 << 30, kubepods="/kubepods", kubepods_limit=2 << 20, root=DISK, images=DISK,
    containers=DISK, processes=Processes(32_768, 345), now=AT,
)  # fmt: skip
DISK_TOLD = {
    "time": NOW, "availableBytes": 60_000, "capacityBytes": 100_000, "usedBytes": 4096, "inodesFree": 900,
    "inodes": 1000, "inodesUsed": 7,
}  # fmt: skip
ETH0_TOLD = {"name": "eth0", "rxBytes": 1000, "rxErrors": 1, "txBytes": 2000, "txErrors": 3}
CALM = {"avg10": 0.0, "avg60": 0.0, "avg300": 0.0, "total": 0}
PSI = {
    "full": {"avg10": 0.5, "avg60": 0.1, "avg300": 0.0, "total": 250_000},
    "some": {"avg10": 1.5, "avg60": 0.2, "avg300": 0.03, "total": 4_500_000},
}
SWAP = {"time": NOW, "swapUsageBytes": 0}


def memory(usage: int, **more: int) -> dict[str, Any]:
    return {
        "time": NOW, "usageBytes": usage, "workingSetBytes": usage - 1024, "rssBytes": 2048, "pageFaults": 70,
        "majorPageFaults": 7, **more,
    }  # fmt: skip


def cpu(nanos: int, **more: int) -> dict[str, Any]:
    return {"time": NOW, "usageCoreNanoSeconds": nanos, **more}


def test_the_node() -> None:
    assert summary(NODE, FIGURES, [])["node"] == {
        "nodeName": "n1",
        "systemContainers": [
            {"name": "pods", "startTime": THEN, "cpu": cpu(5_000_000_000),
             "memory": memory(1 << 20, availableBytes=(1 << 20) + 1024)},
        ],
        "startTime": THEN,
        "cpu": cpu(12_345_678_900, usageNanoCores=250_000_000),
        "memory": memory(1 << 30, availableBytes=(3 << 30) + 1024),
        "network": {
            "time": NOW, **ETH0_TOLD,
            "interfaces": [ETH0_TOLD, {"name": "eth1", "rxBytes": 1, "rxErrors": 0, "txBytes": 2, "txErrors": 0}],
        },
        "fs": DISK_TOLD,
        "runtime": {"imageFs": DISK_TOLD, "containerFs": DISK_TOLD},
        "rlimit": {"time": NOW, "maxpid": 32_768, "curproc": 345},
        "swap": SWAP,
    }  # fmt: skip


def test_a_pod() -> None:
    """*Assumed*: projected volumes are no share of the pod's on the disk."""
    app = {
        "name": "app", "startTime": "2025-12-31T23:59:29Z", "cpu": cpu(1_500_000_000),
        "memory": memory(5 << 20, availableBytes=(3 << 20) + 1024), "rootfs": DISK_TOLD, "logs": DISK_TOLD,
        "swap": SWAP,
    }  # fmt: skip
    side = {
        "name": "side", "startTime": "2025-12-31T23:59:40Z", "cpu": {**cpu(500_000_000), "psi": PSI},
        "memory": {**memory(4096), "psi": {"full": CALM, "some": CALM}}, "swap": SWAP,
        "io": {"time": NOW, "psi": PSI},
    }  # fmt: skip
    assert summary(NODE, FIGURES, [USED])["pods"] == [{
        "podRef": {"name": "web", "namespace": "shop", "uid": "u1"},
        "startTime": THEN,
        "containers": [app, side],
        "cpu": cpu(3_000_000_000, usageNanoCores=1_000_000),
        "memory": memory(6 << 20),
        "network": {"time": NOW, **ETH0_TOLD, "interfaces": [ETH0_TOLD]},
        "process_stats": {"process_count": 3},
        "swap": SWAP,
        "volume": [{**DISK_TOLD, "name": name} for name in ("scratch", "fast", "token")],
        "ephemeral-storage": {**DISK_TOLD, "usedBytes": 3 * 4096, "inodesUsed": 21},
    }]  # fmt: skip


def test_the_claim_of_a_volume_is_told() -> None:
    pod = Pod({"metadata": {"name": "web"}, "spec": {"volumes": [
        {"name": "v", "persistentVolumeClaim": {"claimName": "data"}}, {"name": "e", "emptyDir": {}},
    ]}})  # fmt: skip
    use = PodUse(uid="u", name="web", namespace="shop", pod=pod, volumes={"v": DISK, "e": DISK})
    (told,) = summary(NODE, FIGURES, [use])["pods"]
    assert [one.get("pvcRef") for one in told["volume"]] == [{"name": "data", "namespace": "shop"}, None]


def test_cpu_and_memory_alone() -> None:
    found = summary(NODE, FIGURES, [USED], loads_alone=True)
    assert set(found["node"]) == {"nodeName", "systemContainers", "startTime", "cpu", "memory"}
    assert set(found["pods"][0]) == {"podRef", "startTime", "containers", "cpu", "memory"}
    assert set(found["pods"][0]["containers"][0]) == {"name", "startTime", "cpu", "memory"}


def test_what_is_not_known_is_left_out() -> None:
    bare = NodeFigures(name="n1", started=AT, memory=1, kubepods="/kubepods", kubepods_limit=1)
    found = summary(NodeUse(), bare, [FRESH])
    assert found["node"] == {"nodeName": "n1", "startTime": NOW, "runtime": {}}
    assert found["pods"] == [
        {"podRef": {"name": "new", "namespace": "shop", "uid": "u2"}, "startTime": NOW, "containers": []}
    ]


def test_the_limit_of_a_container() -> None:
    assert [memory_limit(USED, name) for name in ("app", "side", "none")] == [8 << 20, 0, 0]
    assert memory_limit(FRESH, "app") == 0
