"""Nothing that was acknowledged is lost, at whatever instant the process is killed."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pilothouse.runtime.clock import SystemClock
from pilothouse.store.sqlite import SqliteStore

WRITER = """
import asyncio, sys
from pathlib import Path
from pilothouse.runtime.clock import SystemClock
from pilothouse.store.sqlite import SqliteStore

async def write(store, worker):
    number = 0
    while True:
        record = await store.create(f"/{worker}/{number:06}", b"x" * 500)
        if number % 3 == 2:
            await store.delete(f"/{worker}/{number - 1:06}", expected=before)
            sys.stdout.write(f"-/{worker}/{number - 1:06}\\n")
        before = record.revision
        sys.stdout.write(f"+/{worker}/{number:06} {record.revision}\\n")
        sys.stdout.flush()
        number += 1

async def main():
    async with SqliteStore(Path(sys.argv[1]), SystemClock()) as store, asyncio.TaskGroup() as tasks:
        start = sys.argv[2]
        for worker in range(8):
            tasks.create_task(write(store, f"{start}-{worker}"))

asyncio.run(main())
"""


@pytest.mark.parametrize("lines", [1, 7, 100, 1000])
def test_kill_9(tmp_path: Path, lines: int) -> None:
    path = tmp_path / "state.db"
    there: dict[str, int] = {}
    for life in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(life)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(lines)]
        os.kill(process.pid, signal.SIGKILL)
        told += process.stdout.read().splitlines(keepends=True)
        process.stdout.close()
        process.wait(10)
        for line in told:
            if not line.endswith("\n"):
                continue
            if line[0] == "-":
                there.pop(line[1:].strip(), None)
            else:
                key, revision = line[1:].split()
                there[key] = int(revision)
        asyncio.run(_check(path, there))


async def _check(path: Path, there: dict[str, int]) -> None:
    async with SqliteStore(path, SystemClock()) as store:
        found = {record.key: record.revision for record in (await store.list("")).records}
    lost = [key for key, revision in there.items() if found.get(key) != revision]
    # the last write of each worker may have become durable, a deletion it is then, without having been told
    for key in lost:
        worker, _, number = key.rpartition("/")
        assert int(number) % 3 == 1, "only these are deleted"
        assert f"{worker}/{int(number) + 2:06}" not in there, "it was deleted long before and that was told"
        del there[key]
