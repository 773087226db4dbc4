"""Directories and disks of the node as persistent volumes."""

import asyncio
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubelet.harness import FakeMounter
from kubelet.storing import Station, claimed, pod, run
from kubelet.volumes.setting_up import FACTS
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.volume import HostVolume, Ownership, VolumeError
from pilothouse.linux.disk_mounts import DiskMounts
from pilothouse.linux.mounts import Mounts
from pilothouse.runtime.clock import Clock, SystemClock
from pilothouse.testing import loop


def user(name: str = "web", group: int | None = None, **container: Any) -> Pod:
    context = {} if group is None else {"securityContext": {"fsGroup": group}}
    return pod(
        metadata={"uid": f"uid-{name}"}, volumes=[claimed()],
        containers=[{"name": "app", "image": "app:1", **container}], **context,
    )  # fmt: skip


async def refused(node: Station, of: Pod) -> str:
    with pytest.raises(VolumeError) as told:
        await node.volumes.set_up(of, FACTS)
    return str(told.value)


def test_what_is_not_there(tmp_path: Path) -> None:
    async def story(node: Station) -> None:
        node.api.bind(local={"path": str(tmp_path / "none")})
        assert await refused(node, user()) == (
            f'MountVolume.NewMounter initialization failed for volume "pv1" : path "{tmp_path}/none" does not exist'
        )
        (tmp_path / "none").touch()
        assert await refused(node, user()) == (
            'MountVolume.SetUp failed for volume "pv1" : only directory and block device are supported'
        )
        node.api.volumes["pv1"]["spec"]["volumeMode"] = "Block"
        of = user(volumeDevices=[{"name": "v", "devicePath": "/dev/x"}])
        assert (await refused(node, of)).endswith("none is not a block device")

    run(tmp_path, story)


@pytest.mark.parametrize(("read_only", "policy", "given"), [
    (False, "Always", Ownership.WALK), (False, "OnRootMismatch", Ownership.ON_ROOT_MISMATCH),
    (True, "Always", Ownership.NONE),
])  # fmt: skip
def test_a_directory_is_given_to_the_pods_group(tmp_path: Path, read_only: bool, policy: str, given: Ownership) -> None:
    async def story(node: Station) -> None:
        node.api.bind(local={"path": str(tmp_path)})
        context = {"fsGroup": os.getgid(), "fsGroupChangePolicy": policy}
        found = await node.volumes.set_up(pod(volumes=[claimed(read_only=read_only)], securityContext=context), FACTS)
        assert found["v"].fs_group is given

    run(tmp_path, story)


def test_the_second_pod_leaves_the_group_alone_and_is_told(tmp_path: Path) -> None:
    async def story(node: Station) -> None:
        disk = tmp_path / "disk"
        disk.mkdir()
        node.api.bind(local={"path": str(disk)})
        await node.volumes.set_up(user("a"), FACTS)
        node.start()
        own, other = os.getgid(), os.getgid() + 1
        assert (await node.volumes.set_up(user("b", own), FACTS))["v"].fs_group is Ownership.NONE
        assert node.told.events == []
        await node.volumes.set_up(user("c", other), FACTS)
        assert node.told.events == [(
            "Warning", "AlreadyMountedVolume",
            f"The requested fsGroup is {other}, but the volume pv1 has GID {own}. The volume may not be shareable.",
        )]  # fmt: skip

    run(tmp_path, story)


class Noting(FakeMounter):
    """Where it was asked to bind."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: list[int] = []

    def bind(self, source: Path, target: Path) -> None:
        self.threads.append(threading.get_ident())
        self.mounted[target] = str(source)


def test_a_server_that_is_gone_holds_up_no_one_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk, real_stat, noting = tmp_path / "disk", Path.stat, Noting()
    disk.mkdir()

    def stat(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        if path == disk:
            noting.threads.append(threading.get_ident())
        return real_stat(path, follow_symlinks=follow_symlinks)

    async def main(clock: Clock, _chance: object) -> None:
        node = Station(tmp_path, clock, mounter=noting)
        node.api.bind(local={"path": str(disk)})
        monkeypatch.setattr(Path, "stat", stat)
        await node.volumes.set_up(user("a"), FACTS)
        await node.volumes.set_up(user("b"), FACTS)

    loop.run(main)
    assert len(noting.threads) == 5, "two looks and a bind, and a look at whose it is already"
    assert threading.get_ident() not in noting.threads


class Late(FakeMounter):
    """Binds once there is time for it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.time = threading.Event(), threading.Event()

    def bind(self, source: Path, target: Path) -> None:
        self.asked.set()
        assert self.time.wait(60)
        super().bind(source, target)


def test_what_is_still_being_bound_is_waited_for_before_its_place_goes(tmp_path: Path) -> None:
    async def main() -> None:
        mounter = Late()
        node = Station(tmp_path, SystemClock(), mounter=mounter)
        node.api.bind(local={"path": str(tmp_path)})
        async with asyncio.TaskGroup() as group:
            binding = group.create_task(node.volumes.set_up(user(), FACTS))
            await asyncio.to_thread(mounter.asked.wait, 60)
            binding.cancel()
            removal = group.create_task(node.volumes.tear_down_volumes("uid-web"))
            await node.volumes.tear_down_volumes("uid-other")
            assert not removal.done()
            assert node.at(user(), "local-volume").is_dir()
            mounter.time.set()
        assert (mounter.mounted, node.at(user(), "local-volume").exists()) == ({}, False)

    asyncio.run(main())


def test_what_is_in_a_mount_point_after_all_is_not_deleted(tmp_path: Path) -> None:
    async def story(node: Station) -> None:
        node.api.bind(local={"path": str(tmp_path)})
        kept = (await node.volumes.set_up(user(), FACTS))["v"].path / "kept"
        kept.touch()
        with pytest.raises(VolumeError, match="Directory not empty"):
            await node.volumes.tear_down("uid-web")
        assert kept.exists()
        kept.unlink()
        await node.volumes.tear_down("uid-web")
        assert not kept.parent.exists()

    run(tmp_path, story)


def test_what_is_in_the_nodes_mount_point_after_all_is_not_deleted(tmp_path: Path) -> None:
    async def story(node: Station) -> None:
        node.api.bind(local={"path": str(tmp_path)})
        await node.volumes.set_up(user(), FACTS)
        kept = node.layout.root / "plugins/kubernetes.io~local-volume/mounts/pv1/kept"
        kept.parent.mkdir(parents=True)
        kept.touch()
        with pytest.raises(VolumeError, match="Directory not empty"):
            await node.volumes.tear_down("uid-web")
        assert kept.exists()
        assert node.fake_disks.done == []
        kept.unlink()
        await node.volumes.tear_down("uid-web")
        assert not kept.parent.exists()

    run(tmp_path, story)


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Path]:
    """A disk of 8 MiB, without anything on it."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    image = tmp_path / "disk.img"
    with image.open("wb") as file:
        file.truncate(8 << 20)
    made = subprocess.run(["losetup", "--find", "--show", str(image)], check=False, capture_output=True, text=True)
    if made.returncode:
        pytest.skip("needs loop devices")
    path = made.stdout.strip()
    yield Path(path)
    subprocess.run(["losetup", "--detach", path], check=True)


def real(root: Path, story: Any) -> None:
    async def main(clock: Clock, _chance: object) -> None:
        await story(Station(root, clock, mounter=Mounts(), disks=DiskMounts(clock)))
        assert Mounts().below(root) == []

    loop.run(main)


def test_a_disk_gets_a_file_system_and_is_mounted_once_for_all(tmp_path: Path, device: Path) -> None:
    async def story(node: Station) -> None:
        node.api.bind(local={"path": str(device)})
        shared = node.layout.root / "plugins/kubernetes.io~local-volume/mounts/pv1"
        first = (await node.volumes.set_up(user("a", 4321), FACTS))["v"].path
        (first / "file").write_text("hello")
        assert (first.stat().st_gid, first.stat().st_mode & 0o2070) == (4321, 0o2070)
        node.start()
        second = (await node.volumes.set_up(user("b"), FACTS))["v"].path
        assert (second / "file").read_text() == "hello"
        assert Mounts().is_mounted(shared)
        await node.volumes.tear_down("uid-a")
        assert not first.exists()
        assert (second / "file").read_text() == "hello"
        node.start()
        await node.volumes.tear_down("uid-b")
        assert not shared.exists()
        third = (await node.volumes.set_up(user("c"), FACTS))["v"].path
        assert (third / "file").read_text() == "hello"
        await node.volumes.tear_down("uid-c")

    real(tmp_path, story)


def test_a_disk_as_it_is(tmp_path: Path, device: Path) -> None:
    async def story(node: Station) -> None:
        node.api.bind(local={"path": str(device)}, volumeMode="Block")
        of = user(volumeDevices=[{"name": "v", "devicePath": "/dev/x"}])
        assert (await node.volumes.set_up(of, FACTS))["v"] == HostVolume(device, device=True)
        await node.volumes.tear_down("uid-web")

    real(tmp_path, story)
    assert device.read_bytes() == bytes(8 << 20)


def test_another_file_system_than_wanted_is_left_alone(tmp_path: Path, device: Path) -> None:
    subprocess.run(["mkfs.ext4", "-q", str(device)], check=True)
    before = device.read_bytes()

    async def story(node: Station) -> None:
        node.api.bind(local={"path": str(device), "fsType": "xfs"})
        assert "failed to mount the volume as 'xfs': it already contains ext4" in await refused(node, user())
        await node.volumes.tear_down("uid-web")

    real(tmp_path, story)
    assert device.read_bytes() == before
