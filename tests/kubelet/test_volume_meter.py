"""Volumes are measured now and then, and a slow one keeps nobody waiting for long."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from kubelet.at_work import context
from kubelet.harness import FakeNode, pod, run
from kubelet.observing import pod as made
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet import disk_usage
from pilothouse.kubelet.disk_usage import FilesystemUse
from pilothouse.kubelet.layout import Layout
from pilothouse.kubelet.parts.volume_usage import VolumeUsage
from pilothouse.kubelet.volume_meter import VolumeMeter
from pilothouse.runtime.clock import Instant, SystemClock
from pilothouse.runtime.tasks import Tasks


def volumes(name: str) -> dict[str, Any]:
    return {"name": name, "volumes": [{"name": "scratch", "emptyDir": {}}, {"name": "host", "hostPath": {"path": "/"}}]}


def test_the_kubelets_own_volumes_are_measured(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        meter, one = VolumeMeter(node.layout, node.clock), made(**volumes("a"))
        directory = node.layout.volume("uid-a", "empty-dir", "scratch")
        directory.mkdir(parents=True)
        (directory / "file").write_bytes(b"x" * 5000)
        assert meter.of("uid-a") == {}
        async with Tasks() as tasks:
            await meter.measure([one], tasks)
            assert {name: found.inodes_used for name, found in meter.of("uid-a").items()} == {"scratch": 2}
            await meter.measure([], tasks)
        assert meter.of("uid-a") == {}

    run(tmp_path, story)


def test_a_slow_volume_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go, asked, measure = threading.Event(), list[str](), disk_usage.volume

    def slow(path: Path, at: Instant) -> FilesystemUse:
        uid = path.parts[-4]
        asked.append(uid)
        if uid == "uid-slow":
            go.wait(20)
        return measure(path, at)

    async def main() -> None:
        layout, clock = Layout(tmp_path, tmp_path / "logs"), SystemClock()
        meter = VolumeMeter(layout, clock, patience=0.05)
        pods = [made(**volumes("slow")), made(**volumes("b"))]
        for name in ("uid-slow", "uid-b"):
            layout.volume(name, "empty-dir", "scratch").mkdir(parents=True)
        async with Tasks() as tasks:
            for _ in range(2):
                await meter.measure(pods, tasks)
                assert not meter.of("uid-slow")
            assert asked.count("uid-slow") == 1
            go.set()
            async with clock.timeout(20):
                while not (meter.of("uid-slow") and meter.of("uid-b")):
                    await meter.measure(pods, tasks)

    monkeypatch.setattr(disk_usage, "volume", slow)
    asyncio.run(main())


def test_who_knows_of_other_volumes_is_asked(tmp_path: Path) -> None:
    use = FilesystemUse(1, 2, 3, 4, 5, 6, 7.0)

    async def others(one: Pod, at: Instant) -> dict[str, FilesystemUse]:
        return {f"{one.metadata.uid} claimed": use}

    async def story(node: FakeNode) -> None:
        meter = VolumeMeter(node.layout, node.clock)
        meter.others = others
        async with Tasks() as tasks:
            await meter.measure([made(**volumes("a"))], tasks)
        assert meter.of("uid-a") == {"uid-a claimed": use}

    run(tmp_path, story)


def test_who_hangs_holds_up_no_figures(tmp_path: Path) -> None:
    """In virtual time: neither others' figures, nor the kubelet's own, of the same pods and of other ones."""
    use, asked, go = FilesystemUse(1, 2, 3, 4, 5, 6, 7.0), list[str](), asyncio.Event()

    async def others(one: Pod, at: Instant) -> dict[str, FilesystemUse]:
        asked.append(one.metadata.name)
        if one.metadata.name.startswith("stuck"):
            await go.wait()
        return {"claimed": use}

    async def story(node: FakeNode) -> None:
        meter = VolumeMeter(node.layout, node.clock, patience=10)
        meter.others = others
        stuck = [f"stuck{number}" for number in range(20)]
        pods = [made(**volumes(name)) for name in (*stuck, "a")]
        for one in pods:
            node.layout.volume(one.metadata.uid, "empty-dir", "scratch").mkdir(parents=True)
        async with Tasks() as tasks:
            began = node.clock.monotonic()
            await meter.measure(pods, tasks)
            assert node.clock.monotonic() - began == 10
            assert all(set(meter.of(f"uid-{name}")) == {"scratch"} for name in stuck)
            assert set(meter.of("uid-a")) == {"scratch", "claimed"}
            (node.layout.volume("uid-stuck0", "empty-dir", "scratch") / "file").touch()
            await meter.measure(pods, tasks)
            assert meter.of("uid-stuck0")["scratch"].inodes_used == 2
            assert (asked.count("stuck0"), asked.count("a")) == (1, 2)
            # A pod that went is let go of, and what is found of it later is not kept.
            await meter.measure(pods[-1:], tasks)
            go.set()
            await node.clock.sleep(1)
            assert meter.of("uid-stuck0") == {}
            await meter.measure(pods, tasks)
            assert asked.count("stuck0") == 2
            assert set(meter.of("uid-stuck0")) == {"scratch", "claimed"}

    run(tmp_path, story)


def test_pods_of_the_node_are_measured_every_minute(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.add(pod(volumes=[{"name": "scratch", "emptyDir": {}}]))
        await node.until(lambda: bool(node.state().get("ready")))
        async with Tasks() as tasks:
            work = context(node, tasks)
            tasks.spawn(VolumeUsage().run(work), name="part")
            await node.clock.sleep(1)
            assert work.stats.volumes.of("uid-web")["scratch"].inodes_used == 1
            (node.layout.volume("uid-web", "empty-dir", "scratch") / "file").touch()
            await node.clock.sleep(50)
            assert work.stats.volumes.of("uid-web")["scratch"].inodes_used == 1
            await node.clock.sleep(20)
            assert work.stats.volumes.of("uid-web")["scratch"].inodes_used == 2
            tasks.cancel_all()

    run(tmp_path, story)
