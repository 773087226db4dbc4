"""Logs that grow: moved aside, compressed, given up in the end; nothing that a container writes is lost."""

import gzip
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from pilothouse.kubelet.cri.interface import CriError
from pilothouse.kubelet.log_policy import LogPolicy
from pilothouse.kubelet.log_rotate import LogRotator, Tidying, remove_logs, tidy
from pilothouse.runtime.clock import LoopClock
from pilothouse.testing import loop
from pilothouse.testing.fake_cri import FakeCri

POLICY = LogPolicy(max_size=100, max_files=4)


@pytest.mark.parametrize(
    ("rotated", "removed", "compressed"),
    [
        ([], [], []),
        (["l.3"], [], ["l.3"]),
        (["l.2.gz", "l.3"], [], ["l.3"]),
        (["l.3", "l.2.gz", "l.1.gz"], ["l.1.gz"], ["l.3"]),
        (["l.1", "l.2", "l.3"], ["l.1"], ["l.2", "l.3"]),
        (["l.2.tmp", "l.2", "l.1.gz", "l.1"], ["l.1", "l.2.tmp"], ["l.2"]),
    ],
)
def test_older_files_are_sorted_out(rotated: list[str], removed: list[str], compressed: list[str]) -> None:
    assert tidy(rotated, POLICY) == Tidying(tuple(removed), tuple(compressed))


def test_two_files_at_most_leave_no_room_for_older_ones() -> None:
    assert tidy(["l.1.gz", "l.2"], LogPolicy(max_files=2)) == Tidying(("l.1.gz", "l.2"), ())


class LoggingCri(FakeCri):
    """Keeps logs open by their file, as a runtime does."""

    refusing = False

    def begin(self) -> None:
        self.files: dict[str, Any] = {}
        self.reopened: list[str] = []
        self.busy = 0
        self.busiest = 0

    def write(self, key: str, text: str) -> None:
        self.files[key].write(text)
        self.files[key].flush()

    async def reopen_log(self, container_id: str) -> None:
        if self.refusing:
            raise CriError("UNKNOWN", "no")
        self.busy += 1
        self.busiest = max(self.busiest, self.busy)
        await self.clock.sleep(0.1)
        self.busy -= 1
        self.reopened.append(container_id)
        self.open(container_id)

    def open(self, key: str) -> None:
        path = Path(self._containers[key].log_path)
        path.parent.mkdir(parents=True, exist_ok=True)
        if key in self.files:
            self.files[key].close()
        self.files[key] = path.open("a")

    def close(self) -> None:
        for file in self.files.values():
            file.close()


class Logs:
    """Containers that write, and the rotation of what they write."""

    def __init__(self, root: Path, clock: LoopClock, policy: LogPolicy) -> None:
        self.root = root
        self.clock = clock
        self.cri = LoggingCri(clock)
        self.cri.begin()
        self.rotator = LogRotator(self.cri, clock, policy)

    async def start(self, name: str = "app", attempt: int = 0) -> str:
        config = {"metadata": {"name": name, "attempt": attempt}, "log_path": f"{name}/{attempt}.log",
                  "image": {"image": "i"}, "labels": {}, "annotations": {}}  # fmt: skip
        made = await self.cri.create_container("s", config, {"log_directory": str(self.root)})
        await self.cri.start_container(made)
        self.cri.open(made)
        return made

    def files(self, name: str = "app") -> dict[str, str]:
        found = {}
        for file in sorted((self.root / name).iterdir()):
            raw = file.read_bytes()
            found[file.name] = (gzip.decompress(raw) if file.suffix == ".gz" else raw).decode()
        return found


def run(tmp_path: Path, story: Callable[[Logs], Coroutine[Any, Any, None]], policy: LogPolicy = POLICY) -> None:
    async def main(clock: LoopClock, _chance: object) -> None:
        logs = Logs(tmp_path, clock, policy)
        try:
            await story(logs)
        finally:
            logs.cri.close()

    loop.run(main, epoch=1_767_268_800.0)  # 2026-01-01T12:00:00Z


def test_a_log_is_moved_aside_compressed_and_given_up(tmp_path: Path) -> None:
    async def story(logs: Logs) -> None:
        app = await logs.start()
        texts = [str(number) * 100 for number in range(5)]
        logs.cri.write(app, texts[0][:99])
        await logs.rotator.look()
        assert logs.cri.reopened == []
        logs.cri.write(app, "0")
        seen = []
        for number in range(5):
            await logs.rotator.look()
            logs.cri.write(app, texts[number + 1] if number < 4 else "rest")
            seen.append(logs.files())
            await logs.clock.sleep(9.9)
        assert seen[0] == {"0.log": texts[1], "0.log.20260101-120000": texts[0]}
        assert seen[1] == {"0.log": texts[2], "0.log.20260101-120000.gz": texts[0], "0.log.20260101-120010": texts[1]}
        assert seen[4] == {
            "0.log": "rest",
            "0.log.20260101-120020.gz": texts[2],
            "0.log.20260101-120030.gz": texts[3],
            "0.log.20260101-120040": texts[4],
        }

    run(tmp_path, story)


def test_a_compressed_log_is_read_by_nobody_who_could_not_read_it_before(tmp_path: Path) -> None:
    async def story(logs: Logs) -> None:
        app = await logs.start()
        (tmp_path / "app" / "0.log").chmod(0o640)
        for _ in range(2):
            logs.cri.write(app, "x" * 100)
            await logs.rotator.look()
            await logs.clock.sleep(10)
        (packed,) = (tmp_path / "app").glob("*.gz")
        assert packed.stat().st_mode & 0o777 == 0o640

    run(tmp_path, story)


def test_a_runtime_that_does_not_reopen_has_its_file_back(tmp_path: Path) -> None:
    async def story(logs: Logs) -> None:
        app = await logs.start()
        logs.cri.write(app, "x" * 100)
        logs.cri.refusing = True
        await logs.rotator.look()
        logs.cri.write(app, "y")
        assert logs.files() == {"0.log": "x" * 100 + "y"}
        logs.cri.refusing = False
        await logs.rotator.look()
        assert [*logs.files().values()] == ["", "x" * 100 + "y"]

    run(tmp_path, story)


def test_a_log_that_is_gone_is_begun_anew(tmp_path: Path) -> None:
    async def story(logs: Logs) -> None:
        app = await logs.start()
        (tmp_path / "app" / "0.log").rename(tmp_path / "app" / "0.log.20260101-115950")
        await logs.rotator.look()
        logs.cri.write(app, "new")
        assert logs.cri.reopened == [app]
        assert logs.files() == {"0.log": "new", "0.log.20260101-115950": ""}

    run(tmp_path, story)


def test_what_has_ended_is_left_alone(tmp_path: Path) -> None:
    async def story(logs: Logs) -> None:
        app = await logs.start()
        logs.cri.write(app, "x" * 200)
        logs.cri.end("app")
        await logs.rotator.look()
        assert [*logs.files()] == ["0.log"]

    run(tmp_path, story)


@pytest.mark.parametrize("workers", [1, 3])
def test_so_many_at_once_as_there_are_workers(tmp_path: Path, workers: int) -> None:
    async def story(logs: Logs) -> None:
        for number in range(5):
            logs.cri.write(await logs.start(f"c{number}"), "x" * 100)
        await logs.rotator.look()
        assert logs.cri.busiest == workers
        assert len(logs.cri.reopened) == 5

    run(tmp_path, story, LogPolicy(max_size=100, max_workers=workers))


def test_one_that_fails_does_not_keep_the_others(tmp_path: Path) -> None:
    async def story(logs: Logs) -> None:
        for name in ("a", "b"):
            logs.cri.write(await logs.start(name), "x" * 100)
        (tmp_path / "a" / "0.log.20260101-110000.tmp").mkdir()
        await logs.rotator.look()
        assert len(logs.files("b")) == 2
        assert (tmp_path / "a" / "0.log").stat().st_size == 100

    run(tmp_path, story)


def test_the_runtime_is_asked_once_where_a_container_logs_to(tmp_path: Path) -> None:
    async def story(logs: Logs) -> None:
        asked: list[str] = []
        answer = logs.cri.container_status

        async def status(container_id: str) -> Any:
            asked.append(container_id)
            return await answer(container_id)

        logs.cri.container_status = status  # type: ignore[method-assign]
        app = await logs.start()
        for _ in range(3):
            await logs.rotator.look()
        assert asked == [app]
        await logs.cri.remove_container(app)
        await logs.rotator.look()
        assert logs.rotator._paths == {}

    run(tmp_path, story)


def test_a_run_s_logs_are_removed_and_no_others(tmp_path: Path) -> None:
    for name in ("1.log", "1.log.20260101-120000", "1.log.20260101-110000.gz", "11.log", "0.log"):
        (tmp_path / name).touch()
    remove_logs(str(tmp_path / "1.log"))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["0.log", "11.log"]


def test_a_run_without_a_log_has_nothing_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "precious").touch()
    monkeypatch.chdir(tmp_path)
    remove_logs("")
    assert (tmp_path / "precious").exists()
