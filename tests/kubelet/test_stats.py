"""What pods use, on groups of plain files and a runtime of records, in virtual time."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from kubelet.at_work import context
from kubelet.harness import FakeNode, pod, run
from kubelet.observing import pod as made
from linux.test_cgroup_usage import have
from linux.test_cgroups import V2, machine
from pilothouse.kubelet.cri.interface import Container, ContainerState, Sandbox
from pilothouse.kubelet.cri.usage import ContainerUse, FilesystemShare
from pilothouse.kubelet.layout import Layout
from pilothouse.kubelet.resources.pod_cgroups import KernelPodCgroups
from pilothouse.kubelet.stats import Stats
from pilothouse.linux.cgroup_usage import Throttling, Usage
from pilothouse.linux.cgroups import Cgroups
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing import loop
from pilothouse.testing.fake_cri import FakeCri

GROUP = "kubepods/besteffort/poduid-web"


def group(place: str, cpu: int, memory: int = 3000) -> Mapping[str, str]:
    return {
        f"unified/{place}/cpu.stat": f"usage_usec {cpu}\n", f"unified/{place}/memory.current": f"{memory}\n",
        f"unified/{place}/memory.stat": "anon 1000\nfile 2000\ninactive_file 500\n",
        f"unified/{place}/pids.current": "2\n", f"unified/{place}/memory.swap.current": "0\n",
    }  # fmt: skip


async def ready(node: FakeNode, name: str = "web") -> tuple[str, str]:
    """Have a pod that runs; the ids of its sandbox and its container."""
    node.add(pod(name))
    await node.until(lambda: bool(node.state(name).get("ready")))
    return (await node.runtime.sandboxes(f"uid-{name}"))[0].id, (await node.runtime.containers(f"uid-{name}"))[0].id


def stats(node: FakeNode, cgroups: Cgroups) -> Stats:
    return Stats(
        node.runtime, node.clock, lambda: node.workers.pods().values(), node.layout, KernelPodCgroups(cgroups, ""),
        cgroups,
    )  # fmt: skip


def test_groups_of_pods_and_their_containers_are_read(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        found = machine(tmp_path, V2)
        sandbox, container = await ready(node)
        have(tmp_path, {**group(GROUP, 7000, 9000), **group(f"{GROUP}/{container}", 5000), **group("kubepods", 8000)})
        have(tmp_path, {f"unified/{GROUP}/{sandbox}/cgroup.procs": f"{os.getpid()}\n"})
        (one,) = await stats(node, found).loads()
        assert (one.uid, one.name, one.namespace, one.sandbox) == ("uid-web", "web", "default", sandbox)
        assert one.containers == {"app": Usage(5_000_000, 3000, 2500, 1000, 0, 0, 2, 0, 2000)}
        assert one.whole is not None
        assert (one.whole.usage.cpu_nanos, one.whole.usage.memory) == (7_000_000, 9000)
        assert (one.runs["app"].id, one.groups["app"].path) == (container, f"/{GROUP}/{container}")
        machine_wide = await stats(node, found).node()
        assert {path: held.usage.cpu_nanos for path, held in machine_wide.groups.items()} == {"/kubepods": 8_000_000}

    run(tmp_path, story)


def test_how_often_those_with_a_quota_had_to_wait(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        found, place = machine(tmp_path, V2), "kubepods/burstable/poduid-web"
        limited = {"name": "app", "image": "app:1", "resources": {"limits": {"cpu": "1"}}}
        node.add(pod(containers=[limited, {"name": "free", "image": "app:1"}]))
        await node.until(lambda: node.pods["web"].status.phase == "Running")
        runs = {one.name: one.id for one in await node.runtime.containers("uid-web")}
        for name in (place, *(f"{place}/{one}" for one in runs.values())):
            have(
                tmp_path, {**group(name, 1), f"unified/{name}/cpu.stat": "usage_usec 1\nnr_periods 9\nnr_throttled 4\n"}
            )
        (one,) = await stats(node, found).loads()
        assert one.groups["app"].throttling == Throttling(9, 4, 0)
        assert (one.groups["free"].throttling, one.whole and one.whole.throttling) == (None, None)

    run(tmp_path, story)


def test_what_ended_is_not_told_of(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        found = machine(tmp_path, V2)
        _, container = await ready(node)
        (one,) = await stats(node, found).loads()
        assert (one.containers, one.whole) == ({}, None)
        have(tmp_path, group(f"{GROUP}/crio-{container}", 1))
        (one,) = await stats(node, found).loads()
        assert [*one.containers] == ["app"]
        await node.runtime.stop_sandbox(one.sandbox)
        assert await stats(node, found).loads() == []

    run(tmp_path, story)


def test_rates_are_those_since_the_last_look_and_looks_are_ten_seconds_apart(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        found, mine = machine(tmp_path, V2), group
        _, container = await ready(node)
        place, told = f"{GROUP}/{container}", stats(node, found)

        async def look(cpu: int) -> tuple[int, int | None]:
            have(tmp_path, mine(place, cpu))
            (one,) = await told.loads()
            return one.groups["app"].usage.cpu_nanos // 1000, one.groups["app"].nano_cores

        assert await look(1_000_000) == (1_000_000, None)
        await node.clock.sleep(9)
        assert await look(2_000_000) == (1_000_000, None)
        await node.clock.sleep(7)
        assert await look(9_000_000) == (9_000_000, 500_000_000)
        await node.clock.sleep(20)
        assert await look(10_000_000) == (10_000_000, 50_000_000)
        await node.clock.sleep(20)
        assert await look(1000) == (1000, None)

    run(tmp_path, story)


def test_disks_are_measured_for_those_who_ask(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        await ready(node)
        written = FilesystemShare(1.0, str(tmp_path), 4096, 7)
        node.cri.uses["app"] = ContainerUse("", "", writable=written)
        log = node.layout.log(node.pods["web"], "app", 0)
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(b"x" * 5000)
        work = stats(node, Cgroups({}, None))
        (bare,) = await work.loads()
        assert (bare.logs, bare.writable) == ({}, {})
        (one,) = await work.pods()
        assert (one.writable["app"].used, one.writable["app"].inodes_used) == (4096, 7)
        assert one.writable["app"].capacity > 0
        assert (one.logs["app"].inodes_used, one.logs["app"].used >= 5000) == (2, True)
        assert one.volumes == {}

    run(tmp_path, story)


class Crowd(FakeCri):
    """As many pods of one container as a node takes."""

    asked = 0

    async def sandboxes(self, uid: str = "") -> list[Sandbox]:
        self.asked += 1
        return [Sandbox(f"s{one}", f"web-{one}", "default", f"uid-web-{one}", 0, True, 1.0) for one in range(110)]

    async def containers(self, uid: str = "") -> list[Container]:
        self.asked += 1
        return [Container(f"c{one}", f"s{one}", "app", 0, ContainerState.RUNNING, 1.0) for one in range(110)]


def test_a_scrape_reads_few_files_and_asks_the_runtime_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight files a group, three of them for pressure. Nothing is read twice, and not again for the next who asks."""
    opened, opening = list[str](), os.open

    def noting(path: str, *flags: int) -> int:
        opened.append(path)
        return opening(path, *flags)

    async def story(clock: LoopClock, _chance: Chance) -> None:
        found, cri = machine(tmp_path, V2), Crowd(clock)
        pods = [made(name=f"web-{number}") for number in range(110)]
        for number in range(110):
            place = f"kubepods/besteffort/poduid-web-{number}"
            have(tmp_path, {**group(place, 1), **group(f"{place}/c{number}", 1)})
        layout = Layout(tmp_path, tmp_path)
        work = Stats(cri, clock, lambda: pods, layout, KernelPodCgroups(found, ""), found)
        with monkeypatch.context() as patch:
            patch.setattr(os, "open", noting)
            for _ in range(2):
                told = await work.loads()
        assert sum(len(one.groups) for one in told) == 110
        read = [path for path in opened if str(tmp_path) in path]
        assert len(read) == len(set(read)) <= 8 * (2 * 110 + 4)
        assert cri.asked == 2

    loop.run(story)


def test_parts_have_them(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        await ready(node)
        async with Tasks() as tasks:
            (one,) = await context(node, tasks).stats.pods()
        assert one.name == "web"

    run(tmp_path, story)


def test_who_makes_rates_of_them_gets_later_ones(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        found = machine(tmp_path, V2)
        _, container = await ready(node)
        work = stats(node, found)

        async def used(cpu: int) -> tuple[int, int]:
            have(tmp_path, {**group(GROUP, cpu), **group(f"{GROUP}/{container}", cpu)})
            (usual,), (_, (latest,)) = await work.loads(), await work.latest()
            return usual.containers["app"].cpu_nanos // 1000, latest.containers["app"].cpu_nanos // 1000

        assert await used(1) == (1, 1)
        await node.clock.sleep(0.9)
        assert await used(2) == (1, 1)
        await node.clock.sleep(0.2)
        assert await used(3) == (1, 3)

    run(tmp_path, story)
