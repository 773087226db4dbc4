"""A driver on a real socket, call by call."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import grpc
import pytest

from fakes.csi_driver import CsiDriver
from kubelet.harness import FakeMounter
from pilothouse.kubelet.csi.client import CsiClient, CsiError, DriverInfo, Usage, VolumeStats, capability
from pilothouse.net.grpc_frames import GrpcCode
from pilothouse.runtime.clock import SystemClock

WORDS = {GrpcCode.CANCELLED: "Canceled", GrpcCode.NOT_FOUND: "NotFound", GrpcCode.DEADLINE_EXCEEDED: "DeadlineExceeded"}


def serve(root: Path, story: Callable[[CsiClient, CsiDriver], Coroutine[Any, Any, None]], *can: str,
          patience: float = 20.0) -> None:  # fmt: skip
    async def main() -> None:
        async with CsiDriver(root, FakeMounter(), *can) as driver:
            client = CsiClient(str(driver.socket), SystemClock(), patience)
            try:
                await story(client, driver)
            finally:
                await client.close()

    asyncio.run(main())


def test_what_a_driver_says_of_the_node(tmp_path: Path) -> None:
    async def story(client: CsiClient, driver: CsiDriver) -> None:
        assert await client.info() == DriverInfo("node-1")
        driver.info = {
            "node_id": "n", "max_volumes_per_node": 7, "accessible_topology": {"segments": {"zone": "a"}},
        }  # fmt: skip
        assert await client.info() == DriverInfo("n", 7, {"zone": "a"})

    serve(tmp_path, story)


def test_what_a_driver_can_is_asked_once(tmp_path: Path) -> None:
    async def story(client: CsiClient, driver: CsiDriver) -> None:
        for _ in range(2):
            assert await client.capabilities() == {"STAGE_UNSTAGE_VOLUME", "EXPAND_VOLUME"}
        assert driver.calls("NodeGetCapabilities") == ["NodeGetCapabilities"]

    serve(tmp_path, story, "STAGE_UNSTAGE_VOLUME", "EXPAND_VOLUME")


def test_how_a_volume_is_to_be_used(tmp_path: Path) -> None:
    async def story(client: CsiClient, driver: CsiDriver) -> None:
        wanted = capability("SINGLE_NODE_WRITER", block=False, kind="ext4", flags=("noatime",), group="7")
        await client.stage(volume_id="v", staging_target_path=str(tmp_path / "s"), volume_capability=wanted)
        found = driver.requests("NodeStageVolume")[0]["volume_capability"]
        assert (found.HasField("mount"), found.HasField("block"), found.access_mode.mode) == (True, False, 1)
        assert (found.mount.fs_type, list(found.mount.mount_flags), found.mount.volume_mount_group) == (
            "ext4", ["noatime"], "7",
        )  # fmt: skip
        for block in (True, False):
            bare = capability("MULTI_NODE_MULTI_WRITER", block=block)
            assert (bare.HasField("block"), bare.HasField("mount"), bare.access_mode.mode) == (block, not block, 5)

    serve(tmp_path, story)


def test_how_full_a_volume_is(tmp_path: Path) -> None:
    async def story(client: CsiClient, driver: CsiDriver) -> None:
        driver.stats = {"usage": [{"available": 1, "total": 3, "used": 2, "unit": 1}]}
        expected = VolumeStats((Usage("BYTES", 1, 3, 2),), None, "")
        assert await client.stats("v", tmp_path, None) == expected
        for unknown in (77, -1):
            driver.stats["usage"] = [{"used": 2, "unit": 1, "available": 1, "total": 3}, {"used": 5, "unit": unknown}]
            assert await client.stats("v", tmp_path, None) == expected
        driver.stats = {"volume_condition": {"abnormal": True, "message": "hot"}}
        assert await client.stats("v", tmp_path, tmp_path) == VolumeStats((), True, "hot")
        driver.stats = {"volume_condition": {}}
        assert (await client.stats("v", tmp_path, tmp_path)).abnormal is False

    serve(tmp_path, story)


@pytest.mark.parametrize(("code", "final"), [
    (GrpcCode.INTERNAL, True), (GrpcCode.NOT_FOUND, True), (GrpcCode.CANCELLED, False), (GrpcCode.ABORTED, False),
    (GrpcCode.DEADLINE_EXCEEDED, False), (GrpcCode.UNAVAILABLE, False), (GrpcCode.RESOURCE_EXHAUSTED, False),
])  # fmt: skip
def test_a_call_that_fails(tmp_path: Path, code: GrpcCode, final: bool) -> None:
    async def story(client: CsiClient, driver: CsiDriver) -> None:
        driver.fail("NodeUnpublishVolume", grpc.StatusCode[code.name], "why")
        with pytest.raises(CsiError) as told:
            await client.unpublish("v", tmp_path)
        if code in WORDS:
            assert str(told.value) == f"rpc error: code = {WORDS[code]} desc = why"
        assert (told.value.code, told.value.final) == (code, final)

    serve(tmp_path, story)


def test_a_call_that_hangs_comes_to_its_end(tmp_path: Path) -> None:
    async def story(client: CsiClient, driver: CsiDriver) -> None:
        driver.hang("NodeUnpublishVolume")
        with pytest.raises(CsiError) as told:
            await client.unpublish("v", tmp_path)
        assert not told.value.final

    serve(tmp_path, story, patience=0.1)
