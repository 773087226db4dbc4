"""The audit log's modes: what waits for the disk, what is dropped, and what a failing disk means."""

import errno
from pathlib import Path

import orjson
import pytest

from pilothouse.apiserver.audit import backend
from pilothouse.apiserver.audit.backend import AuditLog, Mode
from pilothouse.apiserver.audit.line import AnswerObject
from pilothouse.apiserver.audit.log_file import LogFile, Rotation
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.testing.loop import run


def lines(path: Path) -> list[int]:
    return [orjson.loads(line)["n"] for line in path.read_bytes().splitlines()] if path.exists() else []


@pytest.mark.parametrize("mode", [Mode.BLOCKING, Mode.BLOCKING_STRICT])
def test_blocking_waits_until_it_is_written(tmp_path: Path, mode: Mode) -> None:
    async def story(clock: LoopClock, _: Chance) -> None:
        path = tmp_path / "audit.log"
        async with AuditLog(path, Rotation(), mode, clock) as log:
            assert await log.settled()
            for number in range(3):
                log.put({"n": number})
            assert await log.settled()
            assert lines(path) == [0, 1, 2]
        assert clock.monotonic() == 0.0

    run(story)


def test_a_batch_is_written_once_it_has_gathered(tmp_path: Path) -> None:
    async def story(clock: LoopClock, _: Chance) -> None:
        path = tmp_path / "audit.log"
        async with AuditLog(path, Rotation(), Mode.BATCH, clock) as log:
            log.put({"n": 0})
            assert lines(path) == []
            await clock.sleep(1)
            assert lines(path) == [0]
            log.put({"n": 1})
        assert lines(path) == [0, 1], "leaving writes what is left"

    run(story)


def test_a_full_buffer_drops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "BUFFER", 2)

    async def story(clock: LoopClock, _: Chance) -> None:
        path = tmp_path / "audit.log"
        async with AuditLog(path, Rotation(), Mode.BATCH, clock) as log:
            for number in range(5):
                log.put({"n": number})
            assert log.failures == 3
        assert lines(path) == [0, 1]

    run(story)


def test_a_failing_disk_is_counted_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    async def story(clock: LoopClock, _: Chance) -> None:
        path = tmp_path / "audit.log"
        async with AuditLog(path, Rotation(), Mode.BLOCKING_STRICT, clock) as log:
            with monkeypatch.context() as patch:
                patch.setattr(LogFile, "write", full)
                log.put({"n": 0})
                assert not await log.settled()
            assert log.failures == 1
            log.put({"n": 1})
            assert await log.settled()
            assert lines(path) == [1]

    run(story)


def test_an_event_that_is_no_json_is_lost_alone(tmp_path: Path) -> None:
    async def story(clock: LoopClock, _: Chance) -> None:
        path = tmp_path / "audit.log"
        async with AuditLog(path, Rotation(), Mode.BLOCKING_STRICT, clock) as log:
            log.put({"n": 0})
            log.put({"n": object()})
            log.put({"n": 1, "responseObject": AnswerObject(b"\xff", "application/yaml", slim=True)})
            log.put({"n": 2})
            assert not await log.settled()
            assert log.failures == 2
            assert lines(path) == [0, 2]
            log.put({"n": 3})
            assert await log.settled()

    run(story)
