"""Processes that are found again, and only those."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pilothouse.linux.processes import Identity, ended, has_capability, start_detached, stop
from pilothouse.runtime.clock import SystemClock

STUBBORN = ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"]


async def until(what: Callable[[], bool]) -> None:
    async with SystemClock().timeout(10):
        while not what():
            await asyncio.to_thread(os.sched_yield)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def process(log: Path) -> Iterator[Identity]:
    """Something that runs until it is told to end."""
    found = start_detached(["sleep", "1000"], log)
    yield found
    asyncio.run(stop(found, SystemClock(), grace=0))


def test_a_process_is_known_by_its_number_and_its_beginning(process: Identity) -> None:
    assert Identity.of(process.pid) == process
    assert process.alive()
    assert not replace(process, started=process.started + 1).alive()
    assert process != Identity.of(os.getpid())


def test_nobody_has_a_number_that_is_not_given_out() -> None:
    assert Identity.of(2**22 + 1) is None


def test_remains_are_no_process() -> None:
    with subprocess.Popen(["true"]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert Identity.of(child.pid) is None


def test_a_note_of_it_is_read_again(process: Identity, tmp_path: Path) -> None:
    note = tmp_path / "note.json"
    process.save(note)
    assert Identity.load(note) == process
    replace(process, started=1).save(note)
    assert Identity.load(note) is None
    assert [path.name for path in tmp_path.iterdir() if "note" in path.name] == ["note.json"]


@pytest.mark.parametrize("content", [None, b"", b"{"])
def test_a_note_that_is_not_there_or_not_whole_names_nobody(tmp_path: Path, content: bytes | None) -> None:
    note = tmp_path / "note.json"
    if content is not None:
        note.write_bytes(content)
    assert Identity.load(note) is None


def test_it_has_a_session_of_its_own_and_its_words_are_kept(log: Path) -> None:
    log.write_text("before\n")
    found = start_detached(["sh", "-c", "echo $WORD; echo oops >&2; exec sleep 1000"], log, {"WORD": "hello"})
    assert os.getsid(found.pid) == found.pid

    async def story() -> None:
        await until(lambda: log.read_text().count("\n") == 3)
        await stop(found, SystemClock(), grace=10)

    asyncio.run(story())
    assert log.read_text() == "before\nhello\noops\n"
    assert not found.alive()


def test_what_does_not_end_when_asked_is_killed(log: Path) -> None:
    found = start_detached(STUBBORN, log)

    async def story() -> None:
        await until(lambda: "ready" in log.read_text())
        await stop(found, SystemClock(), grace=0.1)

    asyncio.run(story())
    assert not found.alive()
    assert not Path(f"/proc/{found.pid}").exists()


def test_the_end_is_heard_of(process: Identity) -> None:
    async def story() -> None:
        async with SystemClock().timeout(10), asyncio.TaskGroup() as group:
            group.create_task(ended(process))
            os.kill(process.pid, signal.SIGKILL)
        await ended(process)

    asyncio.run(story())
    assert not process.alive()


def test_another_process_of_that_number_is_left_alone(process: Identity) -> None:
    former = replace(process, started=process.started - 1)

    async def story() -> None:
        async with SystemClock().timeout(10):
            await ended(former)
            await stop(former, SystemClock(), grace=0)

    asyncio.run(story())
    assert process.alive()


def test_capabilities_are_read_from_the_kernel() -> None:
    assert has_capability(0) == (os.geteuid() == 0)
    assert not has_capability(63)
