"""A runtime that somebody else runs: waited for, and refused where it would not fit."""

import asyncio
import tempfile
from pathlib import Path

import pytest

from fakes.cri_server import CriServer
from kubelet.cri.serving import container_config, sandbox_config
from pilothouse.cluster.home import Home
from pilothouse.cluster.node_configuration import kubelet_config
from pilothouse.cluster.node_places import pods_here
from pilothouse.cluster.node_removal import remove_foreign_pods
from pilothouse.cluster.node_runtime import meet
from pilothouse.cluster.settings import Settings
from pilothouse.kubelet.containerd import RuntimeMissing
from pilothouse.kubelet.cri.client import CriClient
from pilothouse.kubelet.cri.features import CgroupDriver
from pilothouse.kubelet.cri.interface import ContainerState, CriUnavailable, Version
from pilothouse.kubelet.cri.usage import FilesystemShare, ImageFilesystems
from pilothouse.kubelet.layout import Layout
from pilothouse.net.pki import KeyPair
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock, LoopClock, SystemClock
from pilothouse.testing.fake_cri import FakeCri
from pilothouse.testing.loop import run

ENDPOINT = "unix:///run/a.sock"
ELSEWHERE = Path("/elsewhere")


class Foreign(FakeCri):
    """Of some driver, and away at first."""

    def __init__(self, clock: Clock, driver: CgroupDriver | None = None, away: int = 0) -> None:
        super().__init__(clock)
        self._driver = driver
        self._away = away

    async def version(self) -> Version:
        self._away -= 1
        if self._away >= 0:
            raise CriUnavailable("UNAVAILABLE", "nobody is there")
        return await super().version()

    async def runtime_config(self) -> CgroupDriver | None:
        return self._driver

    async def image_filesystems(self) -> ImageFilesystems:
        return ImageFilesystems((FilesystemShare(0.0, "/var/lib/images"),))


def met(driver: CgroupDriver | None, configured: str = "cgroupfs", away: int = 0) -> Path:
    async def story(clock: LoopClock, _chance: Chance) -> Path:
        return await meet(Foreign(clock, driver, away), ENDPOINT, configured, clock, ELSEWHERE)

    return run(story)


@pytest.mark.parametrize(
    ("driver", "configured"),
    [(None, "cgroupfs"), (CgroupDriver.CGROUPFS, "cgroupfs"), (CgroupDriver.CGROUPFS, "systemd")],
)
def test_what_the_runtime_says_of_its_driver_holds(driver: CgroupDriver | None, configured: str) -> None:
    assert met(driver, configured) == Path("/var/lib/images")


@pytest.mark.parametrize(
    ("driver", "configured", "who"),
    [
        (CgroupDriver.SYSTEMD, "cgroupfs", "the container runtime has systemd"),
        (None, "systemd", "cgroupDriver of the kubelet's configuration has systemd"),
    ],
)
def test_systemd_is_refused(driver: CgroupDriver | None, configured: str, who: str) -> None:
    with pytest.raises(RuntimeMissing, match=f"^{who} make its control groups.*SystemdCgroup = false.*{ENDPOINT}"):
        met(driver, configured)


def test_it_is_waited_for_but_not_for_ever() -> None:
    assert met(None, away=20) == Path("/var/lib/images")
    with pytest.raises(RuntimeMissing, match=f"the container runtime at {ENDPOINT} does not answer: .*nobody is there"):
        met(None, away=10_000)


def test_pods_of_this_node_go_and_nothing_else() -> None:
    async def story() -> None:
        clock = SystemClock()
        fake = FakeCri(clock)
        with tempfile.TemporaryDirectory() as directory:
            socket = str(Path(directory) / "cri.sock")
            async with CriServer(fake, socket), CriClient(socket, clock) as cri:
                await cri.run_sandbox(sandbox_config("uid-a"))
                others = await cri.run_sandbox(sandbox_config("uid-of-another-kubelet"))
                theirs = container_config(uid="uid-of-another-kubelet")
                await cri.start_container(await cri.create_container(others, theirs, sandbox_config()))
                nobodys = await cri.run_sandbox({**sandbox_config("uid-b"), "labels": {}})
                await remove_foreign_pods(f"unix://{socket}", {"uid-a"}, clock)
                assert [each.id for each in await cri.sandboxes()] == [others, nobodys]
                assert [each.state for each in await cri.containers()] == [ContainerState.RUNNING]
            await remove_foreign_pods(f"unix://{socket}", {"uid-a"}, clock)  # nobody is there: nothing to do

    asyncio.run(story())


def test_pods_of_this_node_are_those_with_a_directory(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert pods_here(home) == set()
    config = kubelet_config(home, Settings(node_name="n1"), KeyPair(b"", b""), b"")
    Layout(config.root, config.logs).pod("uid-a").mkdir(parents=True)
    assert pods_here(home) == {"uid-a"}
