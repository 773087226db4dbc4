"""A volume that was made larger gets a larger file system."""

from pathlib import Path
from typing import Any

import grpc
import pytest

from fakes.csi_driver import CsiDriver
from kubelet.csi_station import STAGES, CsiStation, serve, user
from kubelet.storing import claimed
from pilothouse.api.types.core_v1 import PersistentVolume, PersistentVolumeClaim
from pilothouse.kubelet.csi.expand import failed, finished, plan_expansion

EXPAND = "NodeExpandVolume"
PENDING = {"storage": "NodeResizePending"}
RESIZING = {"type": "FileSystemResizePending", "status": "True"}
OTHER = {"type": "ModifyingVolume", "status": "True"}


def claim(capacity: str = "1Gi", word: str = "NodeResizePending", **status: Any) -> PersistentVolumeClaim:
    told = {"capacity": {"storage": capacity}, "allocatedResourceStatuses": {"storage": word}}
    return PersistentVolumeClaim({"metadata": {"name": "data"}, "status": {**told, **status}})


@pytest.mark.parametrize(("capacity", "word", "larger"), [
    ("1Gi", "NodeResizePending", True), ("1Gi", "NodeResizeInProgress", True), ("2Gi", "NodeResizePending", False),
    ("3Gi", "NodeResizePending", False), ("1Gi", "", False), ("1Gi", "ControllerResizeInProgress", False),
    ("1Gi", "NodeResizeInfeasible", False),
])  # fmt: skip
def test_when_the_node_has_its_part_to_do(capacity: str, word: str, larger: bool) -> None:
    volume = PersistentVolume({"spec": {"capacity": {"storage": "2Gi"}}})
    plan = plan_expansion(claim(capacity, word), volume)
    assert (plan is not None) == larger
    assert plan is None or (plan.size.value(), plan.text) == (2 << 30, "2Gi")


def test_what_a_claim_says_then() -> None:
    assert finished(claim(conditions=[RESIZING, OTHER]), "2Gi") == {
        "capacity": {"storage": "2Gi"}, "allocatedResourceStatuses": {"storage": None}, "conditions": [OTHER],
    }  # fmt: skip
    assert finished(claim(conditions=[RESIZING]), "2Gi")["conditions"] is None
    told = failed(claim(conditions=[RESIZING]), "why", "now", never=True)
    assert told["allocatedResourceStatuses"] == {"storage": "NodeResizeInfeasible"}
    assert [one["type"] for one in told["conditions"]] == ["FileSystemResizePending", "NodeResizeError"]
    assert told["conditions"][1]["message"] == "failed to expand pvc with why"
    assert "allocatedResourceStatuses" not in failed(claim(), "why", "now", never=False)


def grow(node: CsiStation) -> None:
    """The volume has been made larger."""
    node.api.volumes["pv1"]["spec"]["capacity"] = {"storage": "2Gi"}
    status = node.api.claims["data"]["status"]
    node.api.claims["data"]["status"] = {**status, "allocatedResourceStatuses": PENDING, "conditions": [RESIZING]}


def test_while_a_pod_uses_it(tmp_path: Path) -> None:
    async def story(node: CsiStation, driver: CsiDriver) -> None:
        node.bind_csi()
        await node.set_up(user(nodeName="n1"))
        grow(node)
        for _ in range(2):
            await node.set_up(user(nodeName="n1"))
        (request,) = driver.requests(EXPAND)
        assert (driver.expanded, request["volume_path"]) == (2 << 30, str(node.at(user(), "csi") / "mount"))
        assert request["staging_target_path"].endswith("globalmount")
        assert node.api.claims["data"]["status"] == {"phase": "Bound", "capacity": {"storage": "2Gi"},
                                                     "allocatedResourceStatuses": {}}  # fmt: skip
        text = 'MountVolume.NodeExpandVolume succeeded for volume "pv1" n1'
        assert node.told.events == [("Normal", "FileSystemResizeSuccessful", text)] * 2

    serve(tmp_path, story, STAGES, "EXPAND_VOLUME")


def test_a_driver_without_a_part_on_the_node(tmp_path: Path) -> None:
    async def story(node: CsiStation, driver: CsiDriver) -> None:
        node.bind_csi()
        grow(node)
        await node.set_up(user())
        assert driver.requests(EXPAND) == []
        assert node.api.claims["data"]["status"]["capacity"] == {"storage": "2Gi"}

    serve(tmp_path, story)


@pytest.mark.parametrize(("code", "word", "conditions"), [
    (grpc.StatusCode.OUT_OF_RANGE, "NodeResizeInfeasible", 2), (grpc.StatusCode.INTERNAL, "NodeResizeInProgress", 2),
    (grpc.StatusCode.UNAVAILABLE, "NodeResizeInProgress", 1),
])  # fmt: skip
def test_a_driver_that_would_not(tmp_path: Path, code: grpc.StatusCode, word: str, conditions: int) -> None:
    async def story(node: CsiStation, driver: CsiDriver) -> None:
        node.bind_csi()
        grow(node)
        driver.fail(EXPAND, code, "no")
        assert (await node.set_up(user()))["v"].path.is_dir()
        status = node.api.claims["data"]["status"]
        assert status["allocatedResourceStatuses"] == {"storage": word}
        assert status["capacity"] == {"storage": "1Gi"}
        assert len(status["conditions"]) == conditions
        ((kind, reason, message),) = node.told.events
        assert (kind, reason) == ("Warning", "VolumeResizeFailed")
        assert message.startswith('NodeExpandVolume.NodeExpandVolume failed for volume "pv1" : rpc error: code = ')

    serve(tmp_path, story, "EXPAND_VOLUME")


def test_who_only_reads_expands_nothing(tmp_path: Path) -> None:
    async def story(node: CsiStation, driver: CsiDriver) -> None:
        node.bind_csi()
        grow(node)
        await node.set_up(user("web", claimed(read_only=True)))
        assert driver.requests(EXPAND) == []
        assert node.api.patches == []

    serve(tmp_path, story, "EXPAND_VOLUME")
