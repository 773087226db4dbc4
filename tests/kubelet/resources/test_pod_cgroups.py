"""Where pods are accounted, and what their classes weigh, as upstream's qos_container_manager_linux.go has it."""

import signal
import subprocess
from pathlib import Path

import pytest

from kubelet.observing import containers, pod
from kubelet.resources.test_linux import capped, needs
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.resources.pod_cgroups import KernelPodCgroups
from pilothouse.linux.cgroups import Cgroups, GroupLimits


class Tree(Cgroups):
    """Groups on a plain file system, which notes the limits that they get."""

    def limit(self, path: str, limits: GroupLimits) -> None:
        told.append((path, limits))


told: list[tuple[str, GroupLimits]] = []


@pytest.fixture
def cgroups(tmp_path: Path) -> KernelPodCgroups:
    told.clear()
    for name in ("cgroup.controllers", "cgroup.subtree_control"):
        for group in ("", "mine", "mine/kubepods", "mine/kubepods/burstable", "mine/kubepods/besteffort"):
            (tmp_path / group).mkdir(exist_ok=True)
            (tmp_path / group / name).write_text("")
    return KernelPodCgroups(Tree({}, tmp_path), "/mine", 50, (2 << 20,))


def burstable(name: str, cpu: str) -> Pod:
    return pod(name=name, containers=containers("a", resources=needs(cpu)))


GUARANTEED = pod(name="g", containers=containers("a", resources=capped("1", "1Gi")))


@pytest.mark.parametrize(("of", "expected"), [
    (pod(name="e"), "/mine/kubepods/besteffort/poduid-e"),
    (burstable("b", "1"), "/mine/kubepods/burstable/poduid-b"),
    (GUARANTEED, "/mine/kubepods/poduid-g"),
])  # fmt: skip
def test_each_class_has_its_place(cgroups: KernelPodCgroups, tmp_path: Path, of: Pod, expected: str) -> None:
    assert cgroups.parent(of) == expected
    cgroups.create(of)
    assert (tmp_path / expected[1:]).is_dir()
    assert told[0][0] == expected
    assert (told[0][1].pids, told[0][1].hugepages) == (50, {"2MB": 0})
    assert cgroups.remove(of)
    assert not (tmp_path / expected[1:]).exists()


@pytest.mark.parametrize(("root", "place"), [("mine/", "/mine"), ("/mine", "/mine"), ("/", ""), ("", "")])
def test_a_root_is_one_however_it_is_written(tmp_path: Path, root: str, place: str) -> None:
    assert KernelPodCgroups(Tree({}, tmp_path), root).parent(GUARANTEED) == f"{place}/kubepods/poduid-g"


def weights(group: str) -> list[int | None]:
    return [limits.cpu_shares for path, limits in told if path == f"/mine/kubepods/{group}"]


def test_burstable_pods_weigh_what_they_asked_for_together(cgroups: KernelPodCgroups) -> None:
    one, other = burstable("b1", "1"), burstable("b2", "500m")
    for step in (cgroups.create, cgroups.create, cgroups.remove):
        step(one)
        step(other)
    assert weights("burstable") == [1024, 1536, 512, 2]


def test_what_was_there_before_the_kubelet_counts(cgroups: KernelPodCgroups, tmp_path: Path) -> None:
    (tmp_path / "mine/kubepods/burstable/poduid-b1/c1").mkdir(parents=True)
    cgroups.create(burstable("b1", "2"))
    assert told == [("/mine/kubepods/burstable", GroupLimits(2048))]


def test_a_group_that_a_kubelet_left_without_limits_gets_them(cgroups: KernelPodCgroups, tmp_path: Path) -> None:
    (tmp_path / "mine/kubepods/burstable/poduid-b1").mkdir()
    cgroups.create(burstable("b1", "2"))
    assert told[0] == ("/mine/kubepods/burstable/poduid-b1", GroupLimits(2048, pids=50, hugepages={"2MB": 0}))


def test_classes_are_weighed_anew(cgroups: KernelPodCgroups, tmp_path: Path) -> None:
    one, other, gone = burstable("b1", "1"), burstable("b2", "500m"), burstable("b3", "4")
    (tmp_path / "mine/kubepods/burstable/poduid-b1").mkdir()
    cgroups.create(other)
    told.clear()
    cgroups.weigh([one, other, gone, GUARANTEED, pod(name="e")])
    assert (weights("burstable"), weights("besteffort")) == ([1536], [2])
    cgroups.remove(one)
    assert weights("burstable") == [1536, 512]


def test_the_rest_weighs_as_good_as_nothing_which_is_said_once(cgroups: KernelPodCgroups) -> None:
    for name in ("e", "f"):
        cgroups.create(pod(name=name))
    cgroups.remove(pod(name="f"))
    cgroups.create(GUARANTEED)
    assert weights("besteffort") == [2]
    assert weights("burstable") == []


def test_strangers_are_taken_away(cgroups: KernelPodCgroups, tmp_path: Path) -> None:
    known, stranger = burstable("known", "1"), burstable("stranger", "1")
    for one in (known, stranger, GUARANTEED, pod(name="e")):
        cgroups.create(one)
    cgroups.remove_strangers({"uid-known"})
    assert sorted(path.name for path in tmp_path.rglob("poduid-*")) == ["poduid-known"]
    assert (tmp_path / "mine/kubepods/besteffort").is_dir()


def test_what_lives_on_in_a_stranger_s_group_is_killed(
    cgroups: KernelPodCgroups, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As the kernel has it: a group with somebody in it stays.
    monkeypatch.setattr(Tree, "remove", lambda tree, path: not tree.processes(path))
    known, stranger = burstable("known", "1"), burstable("stranger", "1")
    for one in (known, stranger):
        cgroups.create(one)
    with subprocess.Popen(["sleep", "1000"]) as child, subprocess.Popen(["sleep", "1000"]) as other:
        for one, process in ((stranger, child), (known, other)):
            inside = tmp_path / cgroups.parent(one)[1:] / "container"
            inside.mkdir()
            (inside / "cgroup.procs").write_text(f"0\n{process.pid}\n")
        cgroups.remove_strangers({"uid-known"})
        assert child.wait(timeout=20) == -signal.SIGKILL
        assert other.poll() is None
        other.kill()


def widths(cgroups: KernelPodCgroups, tmp_path: Path, before: tuple[int, int], after: Pod, *, grow: bool) -> list[int]:
    """CPU quota and memory limit that a pod's group gets, which had others."""
    path = cgroups.parent(after)
    group = tmp_path / path[1:]
    group.mkdir(parents=True, exist_ok=True)
    (group / "cpu.max").write_text(f"{before[0] or 'max'} 100000")
    (group / "memory.max").write_text(str(before[1] or "max"))
    told.clear()
    cgroups.resize(after, grow=grow)
    (limits,) = [limits for where, limits in told if where == path]
    assert limits.cpu_shares == 1024
    return [limits.cpu_quota or 0, (limits.memory or 0) >> 20]


@pytest.mark.parametrize(("before", "grown", "fitted"), [
    ((50_000, 512 << 20), [100_000, 1024], [100_000, 1024]),
    ((200_000, 2048 << 20), [200_000, 2048], [100_000, 1024]),
    ((200_000, 512 << 20), [200_000, 1024], [100_000, 1024]),
    ((0, 0), [0, 0], [100_000, 1024]),
])  # fmt: skip
def test_a_group_grows_before_its_containers_and_shrinks_after_them(
    cgroups: KernelPodCgroups, tmp_path: Path, before: tuple[int, int], grown: list[int], fitted: list[int]
) -> None:
    assert widths(cgroups, tmp_path, before, GUARANTEED, grow=True) == grown
    assert widths(cgroups, tmp_path, before, GUARANTEED, grow=False) == fitted


def test_pods_with_processors_of_their_own_have_all_of_their_time(cgroups: KernelPodCgroups, tmp_path: Path) -> None:
    """Source: EnsureExists in pkg/kubelet/cm/pod_container_manager_linux.go."""
    cgroups.unthrottled = lambda uid: uid == "uid-g"
    cgroups.create(GUARANTEED)
    assert (told[0][1].cpu_quota, told[0][1].memory) == (0, 1 << 30)
    assert widths(cgroups, tmp_path, (100_000, 1 << 30), GUARANTEED, grow=False) == [0, 1024]
    cgroups.unthrottled = lambda uid: uid == "uid-other"
    assert widths(cgroups, tmp_path, (0, 1 << 30), GUARANTEED, grow=False) == [100_000, 1024]


def test_a_pod_that_has_no_limits_gets_none(cgroups: KernelPodCgroups, tmp_path: Path) -> None:
    assert widths(cgroups, tmp_path, (0, 0), burstable("b", "1"), grow=False) == [0, 0]
    assert weights("burstable") == [1024]


def test_a_group_that_is_not_there_is_left_alone(cgroups: KernelPodCgroups) -> None:
    cgroups.resize(GUARANTEED, grow=True)
    assert told == []
    assert cgroups.excess(GUARANTEED) is None


@pytest.mark.parametrize(("limit", "used", "expected"), [
    ("max", 1 << 30, (1 << 30, 1 << 30)),
    (str(2 << 30), (1 << 30) + 1, (1 << 30, (1 << 30) + 1)),
    (str(2 << 30), 1 << 29, None),
    (str(1 << 30), 1 << 30, None),
    (str(1 << 29), 1 << 30, None),
])  # fmt: skip
def test_less_memory_than_is_used(
    cgroups: KernelPodCgroups, tmp_path: Path, limit: str, used: int, expected: tuple[int, int] | None
) -> None:
    """Only where the limit is to fall: who is at the limit already is none of our business."""
    group = tmp_path / cgroups.parent(GUARANTEED)[1:]
    group.mkdir(parents=True)
    for name, text in (("memory.max", limit), ("memory.current", str(used)), ("cpu.stat", ""), ("memory.stat", "")):
        (group / name).write_text(text)
    assert cgroups.excess(GUARANTEED) == expected
