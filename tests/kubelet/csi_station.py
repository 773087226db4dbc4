"""A node with a CSI driver on a real socket, in real time."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from fakes.csi_driver import CsiDriver
from kubelet.storing import Station, claimed, pod
from kubelet.volumes.setting_up import FACTS
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.csi.csi_volume import CsiVolume, attachment_name
from pilothouse.kubelet.volume import HostVolumes, Mounter
from pilothouse.runtime.clock import SystemClock

NAME = "disk.example.com"
KEY = f"kubernetes.io/csi/{NAME}^h1"
STAGES = "STAGE_UNSTAGE_VOLUME"


def user(name: str = "web", *volumes: JsonObject, **spec: Any) -> Pod:
    """A pod that uses the claim `data`, or these volumes."""
    return pod(
        metadata={"uid": f"uid-{name}", "name": name, "namespace": "default"}, volumes=list(volumes) or [claimed()],
        **spec,
    )  # fmt: skip


class CsiStation(Station):
    """A node; its API server says that the volume `h1` is attached unless the test takes that back."""

    driver: CsiDriver

    async def begin(self, driver: CsiDriver) -> None:
        """Have the driver registered, as far as the node is concerned."""
        self.driver = driver
        await self.storage.drivers.add(driver.name, str(driver.socket))

    async def restart(self) -> None:
        """Another kubelet, with which the driver registers."""
        await self.storage.drivers.close()
        self.start()
        await self.begin(self.driver)

    def bind_csi(self, source: JsonObject | None = None, **spec: Any) -> None:
        """A volume of the driver, attached."""
        self.api.bind(csi={"driver": NAME, "volumeHandle": "h1", "fsType": "ext4", **(source or {})}, **spec)
        self.attach(attached=True, attachmentMetadata={"disk": "sdb"})

    def attach(self, **status: Any) -> None:
        """What the VolumeAttachment's status says."""
        self.api.status = {"volumesInUse": [KEY], "volumesAttached": [{"name": KEY, "devicePath": ""}]}
        name = attachment_name(CsiVolume(NAME, "h1", "pv1"), "n1")
        self.api.attachments[name] = {"metadata": {"name": name}, "status": status}

    def wish(self, **spec: Any) -> None:
        """What the driver's CSIDriver says."""
        self.api.drivers[NAME] = {"metadata": {"name": NAME}, "spec": {"attachRequired": False, **spec}}

    async def set_up(self, of: Pod) -> HostVolumes:
        """Have a pod's volumes."""
        return await self.volumes.set_up(of, FACTS)

    def nothing_left(self) -> bool:
        """Whether the node is as it was."""
        plugins = self.layout.root / "plugins"
        files = [path for path in plugins.rglob("*") if not path.is_dir()] if plugins.exists() else []
        pods = list(self.layout.pods.iterdir()) if self.layout.pods.exists() else []
        return not (files or pods or self.mounter.below(self.layout.root) or self.storage.users.attachable())


Story = Callable[[CsiStation, CsiDriver], Coroutine[Any, Any, None]]


def serve(root: Path, story: Story, *can: str, mounter: Mounter | None = None) -> None:
    """Tell a story of a node and a driver that can so much."""

    async def main() -> None:
        station = CsiStation(root, SystemClock(), mounter=mounter)
        async with CsiDriver(root / "driver", station.mounter, *can) as driver:
            await station.begin(driver)
            try:
                await story(station, driver)
            finally:
                await station.storage.drivers.close()

    asyncio.run(main())
