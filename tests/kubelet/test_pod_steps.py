"""Steps of one pod that take their time leave the others theirs."""

import asyncio
import threading
from collections.abc import Callable, Hashable
from pathlib import Path

import pytest

from kubelet.harness import FakeMounter, FakeNode, pod
from pilothouse.kubelet import pod_steps
from pilothouse.kubelet.slow_paths import SlowPaths
from pilothouse.runtime.clock import SystemClock
from pilothouse.runtime.tasks import Tasks


class Gone(FakeMounter):
    """A server that no longer answers: who opens something of its volume waits."""

    back = threading.Event()

    def open_within(self, root: Path, relative: str) -> int:
        self.back.wait(20)
        return super().open_within(root, relative)


def test_a_part_of_a_volume_that_cannot_be_opened_keeps_its_pod_alone(tmp_path: Path) -> None:
    mount = {"name": "v", "mountPath": "/v", "subPath": "part"}
    volumes = [{"name": "v", "emptyDir": {}}]

    async def main() -> None:
        async with Tasks() as tasks:
            node = FakeNode(tmp_path, SystemClock(), tasks, mounter=Gone())
            try:
                part = {"name": "app", "image": "app:1", "volumeMounts": [mount]}
                node.add(pod("stuck", volumes=volumes, containers=[part]))
                node.add(pod("other"))
                await node.until(lambda: node.pods["other"].status.phase == "Running", 20)
                assert node.pods["stuck"].status.phase == "Pending"
                Gone.back.set()
                await node.until(lambda: node.pods["stuck"].status.phase == "Running", 20)
            finally:
                Gone.back.set()

    asyncio.run(main())


def test_when_it_takes_too_long_that_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Upstream's kubelet hangs without a word; assumed to be no promise.
    monkeypatch.setattr(pod_steps, "PATIENCE", 0.05)
    look, mounted_for = SlowPaths.look, list[str]()

    async def noted(paths: SlowPaths, what: Hashable, work: Callable[[], object], *, mounts_for: str = "") -> object:
        mounted_for.append(mounts_for)
        return await look(paths, what, work, mounts_for=mounts_for)

    monkeypatch.setattr(SlowPaths, "look", noted)
    mount = {"name": "v", "mountPath": "/v", "subPath": "part"}

    async def main() -> None:
        mounter = Gone()
        mounter.back = threading.Event()
        async with Tasks() as tasks:
            node = FakeNode(tmp_path, SystemClock(), tasks, mounter=mounter)
            try:
                part = {"name": "app", "image": "app:1", "volumeMounts": [mount]}
                node.add(pod(volumes=[{"name": "v", "emptyDir": {}}], containers=[part]))
                await node.until(lambda: "message" in node.state()["state"].get("waiting", {}), 20)
                assert node.state()["state"]["waiting"] == {
                    "reason": "CreateContainerConfigError",
                    "message": 'failed to prepare subPath for container "app": context deadline exceeded',
                }
                assert set(mounted_for) == {"uid-web"}, "its directories may not go yet"
            finally:
                mounter.back.set()

    asyncio.run(main())
