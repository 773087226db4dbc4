"""Volumes by way of claims: who has one, who may, and what stays when the claim is gone."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from kubelet import observing
from kubelet.storing import Station, claimed, pod, run
from kubelet.volumes.setting_up import FACTS
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.pod_volumes import Volumes
from pilothouse.kubelet.volume import HostVolume, VolumeError, VolumeType
from pilothouse.kubelet.volume_record import VolumeRecords
from pilothouse.kubelet.volumes.persistent_claim import PersistentClaimVolume

WHERE = 'MountVolume.SetUp failed for volume "pv1" : '


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    path = tmp_path / "disk"
    path.mkdir()
    return path


def user(name: str = "web", **more: Any) -> Pod:
    return pod(metadata={"uid": f"uid-{name}"}, volumes=[claimed()], **more)


async def refused(node: Station, of: Pod) -> str:
    with pytest.raises(VolumeError) as told:
        await node.volumes.set_up(of, FACTS)
    return str(told.value)


def test_a_pod_has_its_volume_and_leaves_nothing(tmp_path: Path, disk: Path) -> None:
    async def story(node: Station) -> None:
        node.api.bind(local={"path": str(disk)})
        web = user()
        for _ in range(2):
            assert (await node.volumes.set_up(web, FACTS))["v"].path == node.at(web, "local-volume")
            node.start()
        assert node.fake_mounter.mounted == {node.at(web, "local-volume"): str(disk)}
        await node.volumes.tear_down("uid-web")
        assert node.fake_mounter.mounted == {}
        assert not node.layout.pod("uid-web").exists()

    run(tmp_path, story)
    assert disk.is_dir()


def test_a_pod_waits_for_its_claim_and_what_else_it_has_is_set_up(tmp_path: Path, disk: Path) -> None:
    async def story(node: Station) -> None:
        web = pod(volumes=[claimed(), {"name": "e", "emptyDir": {}}])
        assert await refused(node, web) == (
            "Unable to attach or mount volumes: unmounted volumes=[v], unattached volumes=[], failed to process "
            "volumes=[v]: error processing PVC default/data: failed to fetch PVC from API server: "
            'persistentvolumeclaims "data" not found'
        )
        assert node.at(web, "empty-dir", "e").is_dir()
        node.api.bind(hostPath={"path": str(disk), "type": ""})
        assert (await node.volumes.set_up(web, FACTS))["v"] == HostVolume(disk)
        await node.volumes.tear_down("uid-web")

    run(tmp_path, story)
    assert disk.is_dir()


def test_a_pod_that_never_had_its_volume_leaves_nothing(tmp_path: Path) -> None:
    async def story(node: Station) -> None:
        await refused(node, user())
        node.start()
        await node.volumes.tear_down("uid-web")
        assert not node.layout.pod("uid-web").exists()

    run(tmp_path, story)


def test_what_is_mounted_stays_when_the_claim_is_gone(tmp_path: Path, disk: Path) -> None:
    async def story(node: Station) -> None:
        node.api.bind(local={"path": str(disk)})
        web = user()
        await node.volumes.set_up(web, FACTS)
        node.api.claims.clear()
        node.start()
        assert (await node.volumes.set_up(web, FACTS))["v"].path == node.at(web, "local-volume")
        assert "not found" in await refused(node, user("other"))

    run(tmp_path, story)


def test_what_no_container_mentions_is_left_alone(tmp_path: Path) -> None:
    async def story(node: Station) -> None:
        volumes = [claimed(), {"name": "e", "emptyDir": {}}]
        assert list(await node.volumes.set_up(observing.pod(volumes=volumes), FACTS)) == ["e"]
        assert "unmounted volumes=[v]" in await refused(node, pod(volumes=volumes))

    run(tmp_path, story)


def test_the_group_that_a_volume_names(tmp_path: Path, disk: Path) -> None:
    async def story(node: Station) -> None:
        node.api.bind(local={"path": str(disk)})
        node.api.volumes["pv1"]["metadata"]["annotations"] = {"pv.beta.kubernetes.io/gid": "4321", "other": "x"}
        assert (await node.volumes.set_up(user(), FACTS))["v"].group == 4321
        node.api.claims.clear()
        node.start()
        assert (await node.volumes.set_up(user(), FACTS))["v"].group == 4321

    run(tmp_path, story)


def test_a_source_that_is_not_known(tmp_path: Path) -> None:
    async def story(node: Station) -> None:
        node.api.bind(fc={"lun": 1})
        assert (await refused(node, user())).endswith(
            'failed to get Plugin from volumeSpec for volume "pv1" err=no volume plugin matched'
        )

    run(tmp_path, story)


@pytest.mark.parametrize(("labels", "fits"), [({"zone": "a"}, True), ({"zone": "b"}, False), ({}, False)])
def test_a_volume_of_other_nodes(tmp_path: Path, disk: Path, labels: dict[str, str], fits: bool) -> None:
    terms = [{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}]

    async def story(node: Station) -> None:
        node.api.bind(local={"path": str(disk)}, nodeAffinity={"required": {"nodeSelectorTerms": terms}})
        node.api.labels = labels
        if fits:
            await node.volumes.set_up(user(), FACTS)
        else:
            assert await refused(node, user()) == (
                'MountVolume.NodeAffinity check failed for volume "pv1" : no matching NodeSelectorTerms'
            )
            assert node.fake_mounter.mounted == {}

    run(tmp_path, story)


def test_one_pod_alone(tmp_path: Path, disk: Path) -> None:
    async def story(node: Station) -> None:
        node.api.bind(local={"path": str(disk)}, accessModes=["ReadWriteOncePod"])
        await node.volumes.set_up(user("a"), FACTS)
        node.start()
        assert await refused(node, user("b")) == (
            f"{WHERE}volume uses the ReadWriteOncePod access mode and is already in use by another pod"
        )
        await node.volumes.set_up(user("a"), FACTS)
        await node.volumes.tear_down("uid-a")
        await node.volumes.set_up(user("b"), FACTS)

    run(tmp_path, story)


def test_of_two_that_want_it_alone_one_gets_it(tmp_path: Path, disk: Path) -> None:
    async def story(node: Station) -> None:
        node.api.bind(local={"path": str(disk)}, accessModes=["ReadWriteOncePod"])
        pods = [user("a"), user("b")]
        ends = await asyncio.gather(*(node.volumes.set_up(one, FACTS) for one in pods), return_exceptions=True)
        assert sorted(type(end).__name__ for end in ends) == ["VolumeError", "dict"]

    run(tmp_path, story)


def test_read_only_as_the_pod_says(tmp_path: Path, disk: Path) -> None:
    async def story(node: Station) -> None:
        node.api.bind(local={"path": str(disk)})
        made = await node.volumes.set_up(pod(volumes=[claimed(read_only=True)]), FACTS)
        assert made["v"].read_only

    run(tmp_path, story)


def test_what_is_noted_is_written_once(tmp_path: Path, disk: Path) -> None:
    async def story(node: Station) -> None:
        node.api.bind(local={"path": str(disk)})
        await node.volumes.set_up(user(), FACTS)
        path = node.layout.volume_record("uid-web", "persistent-claim", "v") / "vol_data.json"
        before = path.stat().st_ino
        await node.volumes.set_up(user(), FACTS)
        assert path.stat().st_ino == before
        (record,) = VolumeRecords(node.layout).of_pod("uid-web")
        assert record.details["key"] == "kubernetes.io/local-volume/pv1"

    run(tmp_path, story)


def test_a_node_without_storage_says_so(tmp_path: Path) -> None:
    async def story(node: Station) -> None:
        types: list[type[VolumeType]] = [PersistentClaimVolume]
        bare = Volumes(types, node.layout, node.objects, node.mounter, node.clock)
        with pytest.raises(VolumeError, match="this node offers no persistent volumes"):
            await bare.set_up(user(), FACTS)

    run(tmp_path, story)
