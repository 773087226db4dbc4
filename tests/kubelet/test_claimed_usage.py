"""How full persistent volumes are: as the driver says, or the disk."""

from pathlib import Path
from typing import Any

import grpc
import pytest

from fakes.csi_driver import CsiDriver
from kubelet.csi_station import NAME, STAGES, CsiStation, serve, user
from kubelet.storing import claimed
from pilothouse.kubelet.claimed_usage import ClaimedUsage, claim_name
from pilothouse.kubelet.disk_usage import FilesystemUse

USAGE = {
    "usage": [{"available": 1, "total": 3, "used": 2, "unit": 1}, {"available": 4, "total": 9, "used": 5, "unit": 2}]
}
USE = FilesystemUse(used=2, inodes_used=5, capacity=3, available=1, inodes=9, inodes_free=4, at=7.0)
CAN = "GET_VOLUME_STATS"


async def measured(node: CsiStation, of: Any) -> dict[str, FilesystemUse]:
    return dict(await ClaimedUsage(node.storage, node.layout).of(of, 7.0))


def test_a_driver_is_asked(tmp_path: Path) -> None:
    async def story(node: CsiStation, driver: CsiDriver) -> None:
        node.bind_csi()
        node.wish(volumeLifecycleModes=["Persistent", "Ephemeral"])
        of = user("web", claimed(), {"name": "own", "csi": {"driver": NAME}}, {"name": "e", "emptyDir": {}})
        assert await measured(node, of) == {}
        await node.set_up(of)
        assert await measured(node, of) == {}
        driver.stats = USAGE
        assert await measured(node, of) == {"v": USE, "own": USE}
        asked = driver.requests("NodeGetVolumeStats")[-2]
        assert (asked["volume_id"], asked["volume_path"]) == ("h1", str(node.at(of, "csi") / "mount"))
        assert asked["staging_target_path"].endswith("globalmount")
        driver.fail("NodeGetVolumeStats", grpc.StatusCode.INTERNAL, "no")
        assert await measured(node, of) == {}

    serve(tmp_path, story, STAGES, CAN)


def test_a_driver_that_does_not_measure(tmp_path: Path) -> None:
    async def story(node: CsiStation, driver: CsiDriver) -> None:
        node.bind_csi()
        await node.set_up(user())
        assert await measured(node, user()) == {}
        assert driver.requests("NodeGetVolumeStats") == []

    serve(tmp_path, story)


def test_a_disk_of_the_node(tmp_path: Path) -> None:
    async def story(node: CsiStation, driver: CsiDriver) -> None:
        node.api.bind(local={"path": str(tmp_path)})
        await node.set_up(user())
        use = (await measured(node, user()))["v"]
        assert use.capacity > use.used > 0

    serve(tmp_path, story)


@pytest.mark.parametrize(("volume", "name"), [
    (claimed("data"), "data"), ({"name": "v", "ephemeral": {}}, "web-v"), ({"name": "v", "emptyDir": {}}, ""),
])  # fmt: skip
def test_the_claim_of_a_volume(volume: dict[str, Any], name: str) -> None:
    of = user("web", volume)
    assert claim_name(of, of.spec.volumes[0]) == name
