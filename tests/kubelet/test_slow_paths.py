"""Looks at paths that do not answer cost a thread each, however often they are made."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from kubelet.harness import FakeMounter, FakeObjects
from kubelet.observing import pod
from kubelet.volumes.setting_up import FACTS
from pilothouse.kubelet.layout import Layout
from pilothouse.kubelet.pod_volumes import Volumes
from pilothouse.kubelet.slow_paths import SlowPaths
from pilothouse.kubelet.volume import VolumeError
from pilothouse.kubelet.volumes import host_path
from pilothouse.runtime.clock import LoopClock, SystemClock
from pilothouse.testing import loop


class Server:
    """A server's directory, which answers only once it is `back`."""

    def __init__(self) -> None:
        self.back = Event()
        self.asked: list[Path] = []
        self.gone: Path | None = None

    def require(self, path: Path, _kind: str) -> None:
        self.asked.append(path)
        if path == self.gone:
            assert self.back.wait(60)


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.back.set()
    for thread in looking():
        thread.join()


def looking() -> list[Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "slow path"]


async def until(what: Callable[[], bool]) -> None:
    clock = SystemClock()
    async with clock.timeout(30):
        while not what():
            await clock.sleep(0.001)


def test_what_is_out_is_not_looked_for_again(server: Server) -> None:
    async def main() -> None:
        paths, path = SlowPaths(at_once=2), Path("/nfs")
        server.gone = path
        look = partial(server.require, path, "")
        async with asyncio.TaskGroup() as group:
            for _again in range(3):
                tried = group.create_task(paths.look(path, look))
                await until(lambda: bool(server.asked))
                tried.cancel()
            last = group.create_task(paths.look(path, look))
            assert await paths.look("other", lambda: 7) == 7  # in the room that is left
            assert (server.asked, len(looking()), last.done()) == ([path], 1, False)
            server.back.set()
        await paths.look(path, look)
        assert server.asked == [path, path]

    asyncio.run(main())


def test_there_is_room_for_so_many(server: Server) -> None:
    async def main() -> None:
        paths, path = SlowPaths(at_once=1), Path("/nfs")
        server.gone = path
        async with asyncio.TaskGroup() as group:
            group.create_task(paths.look(path, partial(server.require, path, "")))
            await until(lambda: bool(server.asked))
            others = [group.create_task(paths.look(name, lambda: 7)) for name in "aab"]
            given_up = group.create_task(paths.look("c", lambda: 7))
            await SystemClock().sleep(0)
            given_up.cancel()
            assert len(looking()) == 1
            server.back.set()
        assert [one.result() for one in others] == [7, 7, 7]

    asyncio.run(main())


def test_a_few_dozen_that_hang_leave_others_room(server: Server) -> None:
    """As pods have that use one server; each has parts of its volume of its own."""

    async def main() -> None:
        paths, path = SlowPaths(), Path("/nfs")
        server.gone = path
        async with asyncio.TaskGroup() as group:
            for number in range(48):
                group.create_task(paths.look(number, partial(server.require, path, "")))
            await until(lambda: len(server.asked) == 48)
            assert await paths.look("other", lambda: 7) == 7
            server.back.set()

    asyncio.run(main())


def test_what_is_raised_arrives_and_nobody_need_wait_for_it() -> None:
    async def main(_clock: LoopClock, _chance: object) -> None:
        def fail() -> None:
            raise FileNotFoundError("none")

        with pytest.raises(FileNotFoundError, match="none"):
            await SlowPaths().look("a", fail)

    loop.run(main)


def test_a_host_path_that_hangs_holds_up_no_other_however_often_it_is_tried(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_path, "require", server.require)
    monkeypatch.setattr("pilothouse.kubelet.pod_volumes.PATIENCE", 0.05)
    server.gone = tmp_path / "nfs"

    def mounting(name: str, path: Path) -> dict[str, Any]:
        return {"name": name, "volumes": [{"name": "v", "hostPath": {"path": str(path), "type": "Directory"}}]}

    async def main() -> None:
        kinds = [host_path.HostPathVolume]
        volumes = Volumes(kinds, Layout(tmp_path, tmp_path / "l"), FakeObjects(), FakeMounter(), SystemClock())
        stuck, fine = pod(**mounting("stuck", tmp_path / "nfs")), pod(**mounting("fine", tmp_path))
        for _again in range(3):
            with pytest.raises(VolumeError, match="context deadline exceeded"):
                await volumes.set_up(stuck, FACTS)
        assert (await volumes.set_up(fine, FACTS))["v"].path == tmp_path
        assert server.asked == [tmp_path / "nfs", tmp_path]
        server.back.set()
        await until(lambda: not looking())
        monkeypatch.setattr("pilothouse.kubelet.pod_volumes.PATIENCE", 60.0)
        assert (await volumes.set_up(stuck, FACTS))["v"].path == tmp_path / "nfs"

    asyncio.run(main())


def test_nothing_is_taken_from_a_pod_while_something_may_still_be_mounted_for_it(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is mounted while its place is being removed would lose what is in it."""
    monkeypatch.setattr("pilothouse.kubelet.pod_volumes.PATIENCE", 0.05)
    layout = Layout(tmp_path, tmp_path / "l")
    place = layout.pod("uid-web") / "volume-subpaths"
    place.mkdir(parents=True)
    server.gone = place

    async def main() -> None:
        volumes = Volumes([], layout, FakeObjects(), FakeMounter(), SystemClock())
        async with asyncio.TaskGroup() as group:
            look = partial(server.require, place, "")
            mounting = group.create_task(volumes.paths.look("parts", look, mounts_for="uid-web"))
            await until(lambda: bool(server.asked))
            mounting.cancel()
        await volumes.tear_down_volumes("uid-other")
        with pytest.raises(VolumeError, match="a volume of pod uid-web is still being mounted: context deadline"):
            await volumes.tear_down_volumes("uid-web")
        assert place.is_dir()
        server.back.set()
        await until(lambda: not looking())
        await volumes.tear_down_volumes("uid-web")
        assert not place.exists()

    asyncio.run(main())
