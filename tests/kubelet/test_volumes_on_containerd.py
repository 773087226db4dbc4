"""Persistent volumes in real containers: a driver's, a disk with a file system and one without."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fakes.csi_driver import CsiDriver
from kubelet.csi_station import NAME, STAGES
from kubelet.harness import FakeNode, pod
from kubelet.storing import FakeStorageObjects, claimed
from kubelet.test_on_containerd import log_of, machine, run, shell  # noqa: F401 - `machine` is a fixture
from pilothouse.kubelet.containerd import ContainerdConfig
from pilothouse.kubelet.cri.client import CriClient
from pilothouse.kubelet.csi.drivers import CsiDrivers
from pilothouse.kubelet.pod_volumes import Volumes
from pilothouse.kubelet.storage import Storage
from pilothouse.kubelet.volume import VolumeType
from pilothouse.kubelet.volume_users import VolumeUsers
from pilothouse.linux.disk_mounts import PATIENCE, DiskMounts
from pilothouse.linux.mounts import Mounts
from pilothouse.runtime.units import subclasses

pytestmark = pytest.mark.node


@pytest.fixture
def disks(tmp_path: Path) -> Iterator[list[Path]]:
    """Two disks of 8 MiB."""
    made = []
    for number in range(2):
        image = tmp_path / f"disk{number}.img"
        with image.open("wb") as file:
            file.truncate(8 << 20)
        found = subprocess.run(["losetup", "-f", "--show", str(image)], check=False, capture_output=True, text=True)
        if found.returncode:
            pytest.skip("needs loop devices")
        made.append(Path(found.stdout.strip()))
    yield made
    for device in made:
        subprocess.run(["losetup", "--detach", str(device)], check=True)


def with_storage(node: FakeNode, api: FakeStorageObjects, patience: float = PATIENCE) -> CsiDrivers:
    """Have a node offer persistent volumes, whose mounts may take so long; its drivers."""
    drivers = CsiDrivers(node.clock)
    storage = Storage(
        node_name="n1", objects=api, disks=DiskMounts(node.clock, patience), recorder=node.told,
        users=VolumeUsers(node.layout), drivers=drivers,
    )  # fmt: skip
    kinds = subclasses(VolumeType, "pilothouse.kubelet.volumes")  # type: ignore[type-abstract]
    volumes = Volumes(kinds, node.layout, node.objects, node.mounter, node.clock, storage=storage, boot_id="b")
    vars(node)["services"] = replace(node.services, volumes=volumes, storage=storage)
    return drivers


def mounts(*names: str) -> list[dict[str, Any]]:
    return [{"name": name, "mountPath": f"/{name}"} for name in names]


def test_a_pod_has_its_volumes_and_the_next_pod_finds_what_it_wrote(
    machine: ContainerdConfig, tmp_path: Path, disks: list[Path]  # noqa: F811
) -> None:  # fmt: skip
    api = FakeStorageObjects()
    api.bind("a", "pv-a", csi={"driver": NAME, "volumeHandle": "h1", "fsType": "ext4"})
    api.bind("b", "pv-b", local={"path": str(disks[0])})
    api.volumes["pv-b"]["metadata"]["annotations"] = {"pv.beta.kubernetes.io/gid": "777"}
    api.bind("c", "pv-c", local={"path": str(disks[1])}, volumeMode="Block")
    api.drivers[NAME] = {"spec": {"attachRequired": False}}
    volumes = [claimed(name, name) for name in "abc"]
    write = "echo one > /a/f; echo two > /b/f; printf three > /dev/c; stat -c '%g %a' /a/f /b/f"
    read = "cat /a/f /b/f; head -c 5 /dev/c; id -G | grep -c 777"
    devices: dict[str, Any] = {
        "volumeDevices": [{"name": "c", "devicePath": "/dev/c"}],
        "volumeMounts": mounts("a", "b"),
    }

    async def story(node: FakeNode, cri: CriClient) -> None:
        drivers = with_storage(node, api)
        async with CsiDriver(tmp_path / "driver", Mounts(), STAGES) as driver:
            await drivers.add(driver.name, str(driver.socket))
            for name, script, said in (("w", write, "4321 644\n4321 644\n"), ("r", read, "one\ntwo\nthree1\n")):
                node.add(pod(name, volumes=volumes, restartPolicy="Never", securityContext={"fsGroup": 4321},
                             containers=[shell(script, **devices)]))  # fmt: skip
                await node.until(lambda name=name: node.pods[name].status.phase == "Succeeded", 30)  # type: ignore[misc]
                async with node.clock.timeout(10):
                    while await log_of(node, name) != said:
                        await node.clock.sleep(0.05)
                node.delete_pod(name, 0)
                await node.until(lambda name=name: name not in node.pods, 30)  # type: ignore[misc]
            assert driver.calls()[-1] == "NodeUnstageVolume"
            await drivers.close()

    run(machine, tmp_path, story)
