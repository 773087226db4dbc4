"""Who goes first. Upstream: helpers_test.go, TestRankMemoryPressure, TestOrderedBy* and others."""

import pytest

from kubelet.starving import GI, MI, asking, share, used
from pilothouse.kubelet.eviction.ranking import rank

ASKS = {"memory": "1Gi"}
DISKS = {"ephemeral-storage": "1Gi"}


def test_memory_first_who_exceeds_then_who_matters_least_then_who_exceeds_most() -> None:
    pods = [
        asking("within", ASKS, 0), asking("a-little", ASKS, 0), asking("a-lot", ASKS, 0),
        asking("asked-for-more", {"memory": "3Gi"}, 0), asking("important", {}, 1000), asking("humble", {}, -5),
        asking("unknown", ASKS, 1000), asking("within-but-humble", ASKS, -5),
    ]  # fmt: skip
    amounts = {"within": GI, "a-little": GI + 1, "a-lot": 2 * GI, "asked-for-more": 3 * GI + MI, "important": 9 * GI,
               "humble": 1, "within-but-humble": 5}  # fmt: skip
    uses = {pod.metadata.uid: used(pod, amounts[pod.metadata.name]) for pod in pods if pod.metadata.name in amounts}
    found = [pod.metadata.name for pod in rank("memory.available", pods, uses, images_apart=False)]
    assert found == ["unknown", "humble", "a-lot", "asked-for-more", "a-little", "important", "within-but-humble",
                     "within"]  # fmt: skip
    assert found == [pod.metadata.name for pod in rank("allocatableMemory.available", pods, uses, images_apart=True)]


def test_processes_first_who_matters_least_then_who_has_most() -> None:
    pods = [asking("few"), asking("many"), asking("important", {}, 10), asking("humble", {}, -1), asking("unknown")]
    counts = {"few": 2, "many": 20, "important": 999, "humble": 1}
    uses = {
        pod.metadata.uid: used(pod, pids=counts[pod.metadata.name]) for pod in pods if pod.metadata.name in counts
    }  # fmt: skip
    found = [pod.metadata.name for pod in rank("pid.available", pods, uses, images_apart=False)]
    assert found == ["humble", "unknown", "many", "few", "important"]


WRITES = asking("writes", DISKS)
LOGS = asking("logs", DISKS)
KEEPS = asking("keeps", DISKS, volumes=[{"name": "v", "emptyDir": {}}, {"name": "ram", "emptyDir": {
    "medium": "Memory"}}])  # fmt: skip
USES = {
    "uid-writes": used(WRITES, writable={"app": share(4 * GI, 1)}),
    "uid-logs": used(LOGS, logs={"app": share(3 * GI, 2)}),
    "uid-keeps": used(KEEPS, volumes={"v": share(2 * GI, 900), "ram": share(90 * GI, 90)}),
}


@pytest.mark.parametrize(
    ("signal", "apart", "order"),
    [
        ("nodefs.available", False, ["writes", "logs", "keeps"]),
        ("imagefs.available", False, ["writes", "logs", "keeps"]),
        ("nodefs.available", True, ["logs", "keeps", "writes"]),
        ("imagefs.available", True, ["writes", "logs", "keeps"]),
        ("nodefs.inodesFree", False, ["keeps", "logs", "writes"]),
        ("imagefs.inodesFree", True, ["writes", "logs", "keeps"]),
        ("nodefs.inodesFree", True, ["keeps", "logs", "writes"]),
    ],
)
def test_disks_count_what_lies_on_them(signal: str, apart: bool, order: list[str]) -> None:
    assert [pod.metadata.name for pod in rank(signal, [WRITES, LOGS, KEEPS], USES, images_apart=apart)] == order


def test_on_a_disk_requests_and_priority_protect_as_for_memory() -> None:
    pods = [asking("within", {"ephemeral-storage": "5Gi"}, -1), asking("beyond", DISKS, 5), asking("unknown", DISKS, 9)]
    uses = {"uid-within": used(pods[0], writable={"app": share(4 * GI)}),
            "uid-beyond": used(pods[1], writable={"app": share(2 * GI)})}  # fmt: skip
    found = rank("nodefs.available", pods, uses, images_apart=False)
    assert [pod.metadata.name for pod in found] == ["unknown", "beyond", "within"]
