"""inotify: who listens to a directory hears of what happens in it."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from pilothouse.linux.inotify import Inotify
from pilothouse.runtime.clock import SystemClock

CLOCK = SystemClock()


async def heard(news: asyncio.Event) -> None:
    async with CLOCK.timeout(10):
        await news.wait()
    news.clear()


@pytest.mark.parametrize(
    "change",
    [
        lambda path: (path / "file").write_text("more"),
        lambda path: (path / "new").touch(),
        lambda path: (path / "file").rename(path / "moved"),
        lambda path: (path / "file").unlink(),
    ],
    ids=["written", "made", "moved", "removed"],
)
def test_changes_are_heard(tmp_path: Path, change: Callable[[Path], object]) -> None:
    async def main() -> None:
        (tmp_path / "file").touch()
        with Inotify() as inotify, inotify.watch(tmp_path) as news:
            assert not news.is_set()
            change(tmp_path)
            await heard(news)

    asyncio.run(main())


def test_listeners_to_one_directory_do_not_disturb_each_other(tmp_path: Path) -> None:
    async def main() -> None:
        (tmp_path / "other").mkdir()
        with Inotify() as inotify, inotify.watch(tmp_path) as one, inotify.watch(tmp_path / "other") as other:
            with inotify.watch(tmp_path) as two:
                (tmp_path / "file").touch()
                await heard(one)
                await heard(two)
            (tmp_path / "file").write_text("x")
            await heard(one)
            assert not two.is_set()
            assert not other.is_set()

    asyncio.run(main())


def test_a_directory_that_goes_away_is_heard_of_and_forgotten(tmp_path: Path) -> None:
    async def main() -> None:
        directory = tmp_path / "gone"
        directory.mkdir()
        with Inotify() as inotify:
            with inotify.watch(directory) as news:
                directory.rmdir()
                await heard(news)
            directory.mkdir()
            with inotify.watch(directory) as again:
                (directory / "file").touch()
                await heard(again)

    asyncio.run(main())


def test_what_is_not_a_directory_cannot_be_watched(tmp_path: Path) -> None:
    async def main() -> None:
        with Inotify() as inotify, pytest.raises(FileNotFoundError), inotify.watch(tmp_path / "none"):
            pass

    asyncio.run(main())
