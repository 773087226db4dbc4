"""All pods together are held to what is left of the machine, on groups of plain files."""

from dataclasses import replace
from pathlib import Path

from kubelet.at_work import context
from kubelet.harness import FakeNode, run
from linux.test_cgroups import V2, contents, fill, machine, offer
from pilothouse.kubelet.machine import Machine, Processes
from pilothouse.kubelet.parts.node_allocatable import NodeAllocatable, limit_pods, limit_reserved
from pilothouse.kubelet.reservations import Reservations
from pilothouse.linux.cgroups import Cgroups, GroupLimits
from pilothouse.runtime.tasks import Tasks

FILES = ("cpu.weight", "cpu.max", "memory.max", "pids.max", "cpu.stat", "memory.current", "memory.stat")
LIMITS = GroupLimits(1024, None, memory=5000, pids=7)


def groups(tmp_path: Path) -> Cgroups:
    found = machine(tmp_path, V2)
    for name in ("mine", "mine/kubepods"):
        fill(tmp_path / "unified" / name, *FILES)
        offer(tmp_path / "unified" / name)
        (tmp_path / "unified" / name / "memory.current").write_text("4000")
    return found


def kubepods(tmp_path: Path) -> dict[str, str]:
    found = contents(tmp_path / "unified/mine/kubepods")
    return {name: found[name] for name in FILES[:4]}


def test_the_groups_are_made_and_limited(tmp_path: Path) -> None:
    told: list[tuple[str, str, str]] = []
    assert limit_pods(groups(tmp_path), "/mine/kubepods", LIMITS, lambda *event: told.append(event))
    assert kubepods(tmp_path) == {"cpu.weight": "100", "cpu.max": "", "memory.max": "5000", "pids.max": "7"}
    assert sorted(path.name for path in (tmp_path / "unified/mine/kubepods").iterdir() if path.is_dir()) == [
        "besteffort", "burstable",
    ]  # fmt: skip
    assert told == [("Normal", "NodeAllocatableEnforced", "Updated Node Allocatable limit across pods")]


def test_no_limit_is_set_below_what_is_used(tmp_path: Path) -> None:
    found, told = groups(tmp_path), list[tuple[str, str, str]]()
    (tmp_path / "unified/mine/kubepods/memory.current").write_text("5001")
    assert not limit_pods(found, "/mine/kubepods", LIMITS, lambda *event: told.append(event))
    assert kubepods(tmp_path) == {"cpu.weight": "", "cpu.max": "", "memory.max": "", "pids.max": ""}
    assert told == [(
        "Warning", "FailedNodeAllocatableEnforcement",
        ('Failed to update Node Allocatable Limits ["mine" "kubepods"]: '
        "unable to set memory limit to 5000 (current usage: 5001)"),
    )]  # fmt: skip


def test_those_that_room_is_kept_for_are_limited_when_asked(tmp_path: Path) -> None:
    found, told = groups(tmp_path), list[tuple[str, str, str]]()
    kept = Reservations(
        kube={"cpu": "1", "memory": "8Ki"}, kube_cgroup="/mine", system={"cpu": "1"}, system_cgroup="/none",
        enforce=("pods", "kube-reserved", "system-reserved-compressible"),
    )  # fmt: skip
    limit_reserved(found, Reservations(), lambda *event: told.append(event))
    assert told == []
    limit_reserved(found, kept, lambda *event: told.append(event))
    mine = contents(tmp_path / "unified/mine")
    assert (mine["cpu.weight"], mine["memory.max"], mine["cpu.max"], mine["pids.max"]) == ("100", "8192", "", "")
    assert told == [
        ("Warning", "FailedNodeAllocatableEnforcement",
         'Failed to enforce System Reserved Cgroup Limits on "/none": "/none" cgroup does not exist'),
        ("Normal", "NodeAllocatableEnforced", "Updated limits on kube reserved cgroup /mine"),
    ]  # fmt: skip


def test_a_kubelet_limits_when_there_is_room(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        services = replace(node.services, hierarchies=groups(tmp_path))
        kept = Reservations(system={"memory": str(Machine.read().memory - 3000)})
        async with Tasks() as tasks:
            work = context(node, tasks, cgroup_root="/mine", reservations=kept)
            tasks.spawn(NodeAllocatable().run(replace(work, services=services)), name="part")
            await node.clock.sleep(1)
            assert node.told.reasons() == ["FailedNodeAllocatableEnforcement"]
            (tmp_path / "unified/mine/kubepods/memory.current").write_text("3000")
            await node.clock.sleep(60)
        assert node.told.reasons().count("NodeAllocatableEnforced") == 1
        assert kubepods(tmp_path)["memory.max"] == "3000"
        assert kubepods(tmp_path)["pids.max"] == str(Processes.read().most)

    run(tmp_path, story)
