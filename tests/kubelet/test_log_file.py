"""Logs on disk: tails, and following in real time, over rotations, to the end of the container."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from pilothouse.kubelet import log_file
from pilothouse.kubelet.log_file import Changes, LogFile, read_log
from pilothouse.kubelet.logs import Selection
from pilothouse.linux.inotify import Inotify
from pilothouse.runtime.clock import SystemClock

CLOCK = SystemClock()


def line(text: str, tag: str = "F") -> str:
    return f"2026-01-01T00:00:00Z stdout {tag} {text}\n"


def write(path: Path, *texts: str) -> None:
    with path.open("a") as file:
        file.writelines(line(text) for text in texts)


async def whole(path: Path, *, tail: int | None = None, wanted: Selection | None = None) -> str:
    with Inotify() as changes:
        pieces = read_log(path, wanted or Selection(), tail=tail, follow=None, changes=changes, clock=CLOCK)
        return b"".join([piece async for piece in pieces]).decode()


@pytest.mark.parametrize(
    ("tail", "found"),
    [(None, "abcd"), (0, ""), (1, "d"), (3, "bcd"), (4, "abcd"), (9, "abcd")],
)
def test_the_tail(tmp_path: Path, tail: int | None, found: str) -> None:
    log = tmp_path / "0.log"
    write(log, *"abcd")
    assert asyncio.run(whole(log, tail=tail)) == "".join(f"{letter}\n" for letter in found)


@pytest.mark.parametrize("tail", [None, 1, 700, 2999, 3000])
def test_a_log_of_many_pieces(tmp_path: Path, tail: int | None) -> None:
    log = tmp_path / "0.log"
    texts = [f"{number} {'x' * (number % 90)}" for number in range(3000)]
    write(log, *texts)
    assert log.stat().st_size > 3 * 64 * 1024
    assert asyncio.run(whole(log, tail=tail)).splitlines() == texts[-tail if tail else 0 :]


def test_pieces_of_lines_count_as_lines_of_the_tail(tmp_path: Path) -> None:
    log = tmp_path / "0.log"
    log.write_text(line("a") + line("b", "P") + line("c", "P") + line("d"))
    assert asyncio.run(whole(log, tail=2)) == "cd\n"


def test_a_carriage_return_ends_no_line(tmp_path: Path) -> None:
    log = tmp_path / "0.log"
    log.write_bytes(b"2026-01-01T00:00:00Z stdout F 1%\r2%\r\n")
    assert asyncio.run(whole(log)) == "1%\r2%\r\n"


def test_no_more_than_wanted_is_read(tmp_path: Path) -> None:
    log = tmp_path / "0.log"
    write(log, *(["x" * 99] * 3000))
    assert asyncio.run(whole(log, wanted=Selection(limit_bytes=150))) == "x" * 99 + "\n" + "x" * 50


def test_a_log_behind_a_link_and_one_that_is_not_there(tmp_path: Path) -> None:
    write(tmp_path / "real.log", "a")
    (tmp_path / "link.log").symlink_to(tmp_path / "real.log")
    assert asyncio.run(whole(tmp_path / "link.log")) == "a\n"
    with pytest.raises(FileNotFoundError):
        asyncio.run(whole(tmp_path / "none.log"))


def test_damage_without_line_ends_is_not_hoarded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "_LONGEST", 100_000)
    log = tmp_path / "0.log"
    log.write_bytes(b"\0" * 1_000_000 + b"\n" + line("a").encode())

    async def main() -> None:
        file = await LogFile.open(log)
        longest = 0
        while (lines := await file.next_lines()) is not None:
            longest = max([longest, *map(len, lines)])
        file.close()
        assert 100_000 < longest < 200_000

    asyncio.run(main())
    assert asyncio.run(whole(log)) == "a\n"


class Followed:
    """A log being followed, and the container behind it."""

    def __init__(self, pieces: AsyncIterator[bytes], log: Path) -> None:
        self.log = log
        self.text = ""
        self.ended = False
        self.asked = 0
        self._pieces = pieces

    async def until(self, text: str) -> None:
        while len(self.text) < len(text):
            self.text += (await anext(self._pieces)).decode()
        assert self.text == text

    async def rest(self) -> str:
        return b"".join([piece async for piece in self._pieces]).decode()


class Deaf:
    """A kernel that has no more watches to give."""

    def watch(self, directory: Path) -> AbstractContextManager[asyncio.Event]:
        raise OSError(28, "No space left on device")


def follow(
    tmp_path: Path, story: Callable[[Followed], Awaitable[None]], *, tail: int | None = None,
    limit: int | None = None, deaf: bool = False,
) -> None:  # fmt: skip
    async def main() -> None:
        log = tmp_path / "0.log"
        write(log, "a", "b")
        with Inotify() as inotify:
            changes: Changes = Deaf() if deaf else inotify

            async def running() -> bool:
                followed.asked += 1
                return not followed.ended

            wanted = Selection(limit_bytes=limit)
            pieces = read_log(log, wanted, tail=tail, follow=running, changes=changes, clock=CLOCK)
            followed = Followed(pieces, log)
            async with CLOCK.timeout(20):
                await story(followed)
            await pieces.aclose()

    asyncio.run(main())


def test_lines_arrive_as_they_are_written(tmp_path: Path) -> None:
    async def story(followed: Followed) -> None:
        await followed.until("b\n")
        for count in range(1, 20):
            write(followed.log, "c")
            await followed.until("b\n" + "c\n" * count)
        assert followed.asked < 10

    follow(tmp_path, story, tail=1)


def test_a_line_is_sent_when_it_is_whole(tmp_path: Path) -> None:
    async def story(followed: Followed) -> None:
        await followed.until("a\nb\n")
        with followed.log.open("a") as file:
            file.write(line("half a line")[:-8])
            file.flush()
            write(followed.log.with_name("other"), "wakes the follower")
            file.write(line("half a line")[-8:])
        await followed.until("a\nb\nhalf a line\n")

    follow(tmp_path, story)


def test_following_ends_with_the_container_and_misses_nothing(tmp_path: Path) -> None:
    async def story(followed: Followed) -> None:
        await followed.until("a\nb\n")
        followed.ended = True
        write(followed.log, *"xyz")
        assert await followed.rest() == "x\ny\nz\n"

    follow(tmp_path, story)


def test_an_ended_container_is_not_waited_for(tmp_path: Path) -> None:
    async def story(followed: Followed) -> None:
        followed.ended = True
        assert await followed.rest() == "a\nb\n"
        assert followed.asked == 1

    follow(tmp_path, story)


def test_a_rotated_log_is_followed_into_its_new_file(tmp_path: Path) -> None:
    async def story(followed: Followed) -> None:
        await followed.until("a\nb\n")
        write(followed.log, "last of the old")
        followed.log.rename(followed.log.with_suffix(".log.1"))
        write(followed.log, "first of the new")
        await followed.until("a\nb\nlast of the old\nfirst of the new\n")
        followed.ended = True
        followed.log.rename(followed.log.with_suffix(".log.2"))
        write(followed.log, "the end")
        assert await followed.rest() == "the end\n"

    follow(tmp_path, story)


def test_what_is_written_just_before_a_rotation_is_not_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replaced = LogFile.replaced

    async def story(followed: Followed) -> None:
        await followed.until("a\nb\n")

        async def rotated_meanwhile(file: LogFile) -> bool:
            monkeypatch.setattr(LogFile, "replaced", replaced)
            write(followed.log, "last of the old")
            followed.log.rename(followed.log.with_suffix(".log.1"))
            write(followed.log, "first of the new")
            return await replaced(file)

        monkeypatch.setattr(LogFile, "replaced", rotated_meanwhile)
        write(followed.log, "c")
        await followed.until("a\nb\nc\nlast of the old\nfirst of the new\n")

    follow(tmp_path, story)


def test_without_news_of_the_directory_it_is_looked_for(tmp_path: Path) -> None:
    async def story(followed: Followed) -> None:
        await followed.until("a\nb\n")
        write(followed.log, "c")
        await followed.until("a\nb\nc\n")
        followed.ended = True
        assert await followed.rest() == ""

    follow(tmp_path, story, deaf=True)


def test_enough_is_enough(tmp_path: Path) -> None:
    async def story(followed: Followed) -> None:
        await followed.until("a\nb\n")
        write(followed.log, "cdef")
        assert await followed.rest() == "cd"

    follow(tmp_path, story, limit=6)


def test_a_follower_that_leaves_lets_go_of_the_file(tmp_path: Path) -> None:
    opened = len(list(Path("/proc/self/fd").iterdir()))

    async def story(followed: Followed) -> None:
        await followed.until("a\nb\n")

        async def wait() -> None:
            await followed.rest()

        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(wait())
            while not followed.asked:
                await CLOCK.sleep(0)
            waiting.cancel()

    follow(tmp_path, story)
    assert len(list(Path("/proc/self/fd").iterdir())) <= opened
