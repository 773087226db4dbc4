"""Paths of the node as persistent volumes."""

import threading
from pathlib import Path

import pytest

from kubelet.storing import Station, claimed, pod, run
from kubelet.volumes.setting_up import FACTS
from pilothouse.kubelet.persistent_sources import host_path
from pilothouse.kubelet.volume import HostVolume, VolumeError


def test_a_path_is_checked_or_made_and_stays(tmp_path: Path) -> None:
    async def story(node: Station) -> None:
        path = tmp_path / "data"
        node.api.bind(hostPath={"path": str(path), "type": "Directory"})
        web = pod(volumes=[claimed()])
        with pytest.raises(VolumeError) as told:
            await node.volumes.set_up(web, FACTS)
        assert str(told.value) == (
            f'MountVolume.SetUp failed for volume "pv1" : hostPath type check failed: {path} is not a directory'
        )
        node.api.bind(hostPath={"path": str(path), "type": "DirectoryOrCreate"})
        assert await node.volumes.set_up(web, FACTS) == {"v": HostVolume(path)}
        await node.volumes.tear_down("uid-web")
        assert path.is_dir()
        assert node.fake_mounter.mounted == {}

    run(tmp_path, story)


def test_a_path_is_not_mounted_and_takes_no_options(tmp_path: Path) -> None:
    async def story(node: Station) -> None:
        node.api.bind(hostPath={"path": str(tmp_path), "type": ""}, mountOptions=["noatime"])
        with pytest.raises(VolumeError) as told:
            await node.volumes.set_up(pod(volumes=[claimed()]), FACTS)
        assert str(told.value) == (
            'MountVolume.MountOptionSupport check failed for volume "pv1" : '
            "Mount options are not supported for this volume type"
        )

    run(tmp_path, story)


def test_a_server_that_is_gone_holds_up_no_one_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    monkeypatch.setattr(host_path, "require", lambda *_: looked.append(threading.get_ident()))

    async def story(node: Station) -> None:
        node.api.bind(hostPath={"path": str(tmp_path), "type": "Directory"})
        await node.volumes.set_up(pod(volumes=[claimed()]), FACTS)

    run(tmp_path, story)
    assert looked
    assert threading.get_ident() not in looked
