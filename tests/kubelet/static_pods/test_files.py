"""Manifests on disk: found, heard of, missed, half written."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import yaml

from kubelet.static_pods.standing import NEWS, manifest
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.log_file import Changes
from pilothouse.kubelet.static_pods.files import ManifestFiles, follow_files
from pilothouse.linux.inotify import Inotify
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock, LoopClock, SystemClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing import loop


def write(path: Path, name: str) -> None:
    path.write_text(yaml.safe_dump(manifest(name=name)))


def names(pods: Sequence[Pod]) -> list[str]:
    return [pod.metadata.name.removesuffix("-n1") for pod in pods]


def test_files_of_a_directory_in_the_order_of_their_names(tmp_path: Path) -> None:
    write(tmp_path / "b.yaml", "first")
    write(tmp_path / "c", "second")
    write(tmp_path / ".hidden.yaml", "hidden")
    (tmp_path / "a.yaml").write_text("not: a pod")
    (tmp_path / "d").mkdir()
    write(tmp_path / "d" / "e.yaml", "deeper")
    (tmp_path / "f.yaml").symlink_to(tmp_path / "nowhere")
    assert names(ManifestFiles(tmp_path, "n1").read(lenient=False)) == ["first", "second"]


def test_one_file_and_none(tmp_path: Path) -> None:
    write(tmp_path / "web.yaml", "web")
    files = ManifestFiles(tmp_path / "web.yaml", "n1")
    assert names(files.read(lenient=False)) == ["web"]
    assert files.directory == tmp_path
    assert ManifestFiles(tmp_path / "none", "n1").read(lenient=False) == []


def test_a_file_that_cannot_be_read_is_perhaps_being_written(tmp_path: Path) -> None:
    write(tmp_path / "a", "a")
    files = ManifestFiles(tmp_path, "n1")
    (before,) = files.read(lenient=False)
    (tmp_path / "a").write_text("apiVersion: v1\nki")
    assert files.read(lenient=True) == [before]
    assert files.read(lenient=False) == []
    assert files.read(lenient=True) == []


class Following:
    """What was told, in order."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.told: list[list[str]] = []

    async def until(self, *expected: str) -> None:
        async with self.clock.timeout(60):
            while not self.told or self.told[-1] != [*expected]:
                await self.clock.sleep(0.05)


Story = Callable[[Following], Coroutine[Any, Any, None]]


async def tell(path: Path, changes: Changes, clock: Clock, story: Story) -> None:
    told = Following(clock)
    async with Tasks() as tasks:
        work = follow_files(ManifestFiles(path, "n1"), 20.0, changes, clock, lambda pods: told.told.append(names(pods)))
        tasks.spawn(work, name="follow")
        await story(told)
        tasks.cancel_all()


def follow(path: Path, story: Story) -> None:
    """In virtual time; news are the test's."""

    async def main(clock: LoopClock, _chance: Chance) -> None:
        await tell(path, NEWS, clock, story)

    loop.run(main)


def test_changes_are_heard_of(tmp_path: Path) -> None:
    async def story(following: Following) -> None:
        await following.until()
        write(tmp_path / "a", "a")
        await following.until("a")
        write(tmp_path / "b", "b")
        await following.until("a", "b")
        (tmp_path / "a").rename(tmp_path / "c")
        await following.until("b", "a")
        (tmp_path / "b").unlink()
        await following.until("a")
        assert len(following.told) >= 5

    async def main() -> None:
        clock = SystemClock()
        with Inotify() as changes:
            async with clock.timeout(15):  # sooner than without news
                await tell(tmp_path, changes, clock, story)

    asyncio.run(main())


def test_a_directory_that_comes_later_is_found(tmp_path: Path) -> None:
    directory = tmp_path / "later"

    async def story(following: Following) -> None:
        await following.until()
        directory.mkdir()
        write(directory / "a", "a")
        began = following.clock.now()
        await following.until("a")
        assert 10 < following.clock.now() - began <= 21

    follow(directory, story)


def test_a_broken_file_ends_its_pod_when_nothing_more_comes(tmp_path: Path) -> None:
    async def story(following: Following) -> None:
        await following.until()
        write(tmp_path / "a", "a")
        NEWS.poke()
        await following.until("a")
        (tmp_path / "a").write_text("{")
        NEWS.poke()
        await following.clock.sleep(1)
        assert len(following.told) == 3
        assert following.told[-1] == ["a"]
        await following.clock.sleep(20)
        assert following.told[-1] == []

    follow(tmp_path, story)
