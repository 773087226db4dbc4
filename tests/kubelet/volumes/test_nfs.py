"""NFS servers' directories."""

from pathlib import Path

import pytest

from kubelet.storing import Station, pod, run
from kubelet.volumes.setting_up import FACTS
from pilothouse.kubelet.volume import HostVolume, VolumeError


def test_a_directory_is_mounted_once_and_unmounted(tmp_path: Path) -> None:
    async def story(node: Station) -> None:
        web = pod(volumes=[{"name": "v", "nfs": {"server": "fd00::1", "path": "/x", "readOnly": True}}])
        target = node.at(web, "nfs", "v")
        for _ in range(2):
            assert await node.volumes.set_up(web, FACTS) == {"v": HostVolume(target, read_only=True)}
        assert node.fake_disks.done == [("mount", "[fd00::1]:/x", "nfs", "ro")]
        node.start()
        await node.volumes.tear_down("uid-web")
        assert node.fake_disks.done[1:] == [("unmount", "v")]
        assert not node.layout.pod("uid-web").exists()

    run(tmp_path, story)


def test_a_server_that_is_gone_keeps_the_pod_alone(tmp_path: Path) -> None:
    async def story(node: Station) -> None:
        web = pod(volumes=[{"name": "v", "nfs": {"server": "s", "path": "/x"}}, {"name": "e", "emptyDir": {}}])
        node.fake_disks.broken = "mount did not end in time"
        with pytest.raises(VolumeError, match="mount did not end in time"):
            await node.volumes.set_up(web, FACTS)
        node.fake_disks.broken = ""
        await node.volumes.set_up(web, FACTS)
        node.fake_disks.broken = "umount did not end in time"
        with pytest.raises(VolumeError, match="umount did not end in time"):
            await node.volumes.tear_down("uid-web")
        assert node.mounter.is_mounted(node.at(web, "nfs", "v"))
        node.fake_disks.broken = ""
        await node.volumes.tear_down("uid-web")
        assert not node.layout.pod("uid-web").exists()

    run(tmp_path, story)


def test_what_is_in_a_mount_point_after_all_is_not_deleted(tmp_path: Path) -> None:
    async def story(node: Station) -> None:
        web = pod(volumes=[{"name": "v", "nfs": {"server": "s", "path": "/x"}}])
        await node.volumes.set_up(web, FACTS)
        kept = node.at(web, "nfs", "v") / "kept"
        kept.touch()
        with pytest.raises(VolumeError, match="Directory not empty"):
            await node.volumes.tear_down("uid-web")
        assert kept.exists()
        kept.unlink()
        await node.volumes.tear_down("uid-web")
        assert not node.layout.pod("uid-web").exists()

    run(tmp_path, story)
