"""Volumes of a CSI driver that live as long as their pod."""

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import grpc
import pytest

from fakes.csi_driver import CsiDriver
from kubelet.csi_station import NAME, STAGES, CsiStation, serve, user
from pilothouse.kubelet.volume import Ownership, VolumeError

PUBLISH, UNPUBLISH = "NodePublishVolume", "NodeUnpublishVolume"


def own(**source: Any) -> dict[str, Any]:
    return {"name": "v", "csi": {"driver": NAME, **source}}


async def refused(node: CsiStation, **source: Any) -> str:
    with pytest.raises(VolumeError) as told:
        await node.set_up(user("web", own(**source)))
    return str(told.value)


def test_a_volume_comes_and_goes_with_its_pod(tmp_path: Path) -> None:
    async def story(node: CsiStation, driver: CsiDriver) -> None:
        node.wish(volumeLifecycleModes=["Ephemeral"], podInfoOnMount=True)
        node.objects.secrets["s"] = {"data": {"key": "dmFsdWU="}}
        of = user("web", own(fsType="ext4", volumeAttributes={"a": "b"}, nodePublishSecretRef={"name": "s"}),
                  securityContext={"fsGroup": 0})  # fmt: skip
        for _ in range(2):
            found = (await node.set_up(of))["v"]
        assert (found.path, found.fs_group) == (node.at(of, "csi", "v") / "mount", Ownership.WALK)
        assert driver.calls() == [PUBLISH]
        request = driver.requests(PUBLISH)[0]
        assert request["volume_id"] == "csi-" + hashlib.sha256(b"uid-webv").hexdigest()
        assert request["volume_context"]["csi.storage.k8s.io/ephemeral"] == "true"
        assert request["volume_context"]["a"] == "b"
        assert dict(request["secrets"]) == {"key": "value"}
        await node.restart()
        await node.volumes.tear_down("uid-web")
        assert driver.requests(UNPUBLISH)[0]["volume_id"] == request["volume_id"]
        assert driver.calls() == [PUBLISH, UNPUBLISH]
        assert node.nothing_left()

    serve(tmp_path, story, STAGES)


def test_what_cannot_be(tmp_path: Path) -> None:
    async def story(node: CsiStation, driver: CsiDriver) -> None:
        assert await refused(node) == (
            'MountVolume.NewMounter initialization failed for volume "v" : volume mode "Ephemeral" not supported by '
            f"driver {NAME} (no CSIDriver object)"
        )
        node.wish(volumeLifecycleModes=["Ephemeral"])
        driver.fail(PUBLISH, grpc.StatusCode.INTERNAL, "no")
        assert await refused(node) == ('MountVolume.SetUp failed for volume "v" : rpc error: code = Internal desc = no')
        await node.storage.drivers.close()
        assert await refused(node) == (
            'MountVolume.SetUp failed for volume "v" : kubernetes.io/csi: mounter.SetUpAt failed to get CSI client: '
            f"driver name {NAME} not found in the list of registered CSI drivers"
        )
        await node.volumes.tear_down("uid-web")
        assert driver.calls() == [PUBLISH]
        assert node.nothing_left()

    serve(tmp_path, story)


@pytest.mark.parametrize("after", [False, True])
def test_a_kubelet_that_dies_meanwhile(tmp_path: Path, after: bool) -> None:
    async def story(node: CsiStation, driver: CsiDriver) -> None:
        node.wish(volumeLifecycleModes=["Ephemeral"])
        driver.hang(PUBLISH, after=after)
        task = asyncio.get_running_loop().create_task(node.set_up(user("web", own())))
        async with node.clock.timeout(20):
            while PUBLISH not in driver.calls():
                await node.clock.sleep(0.01)
        task.cancel()
        await asyncio.wait([task])
        await node.restart()
        await node.volumes.tear_down("uid-web")
        assert driver.calls() == [PUBLISH, UNPUBLISH]
        assert node.nothing_left()

    serve(tmp_path, story)


def test_a_volume_whose_record_is_lost_is_known_by_what_lies_beside_it(tmp_path: Path) -> None:
    async def story(node: CsiStation, driver: CsiDriver) -> None:
        node.wish(volumeLifecycleModes=["Ephemeral"])
        await node.set_up(user("web", own()))
        record = node.layout.volume_record("uid-web", "csi", "v") / "vol_data.json"
        record.unlink()
        await node.restart()
        await node.volumes.tear_down("uid-web")
        assert driver.calls() == [PUBLISH, UNPUBLISH]
        assert node.nothing_left()

    serve(tmp_path, story)
