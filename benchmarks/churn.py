"""A million writes to the SQLite store: what its file, its log and its memory come to, and whether it stays as fast.

Thirty-two writers replace, delete and make again 5,000 records of 1 KB. Usage: churn.py [writes]
"""

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

import uvloop
from measuring.process import cpu, memory
from measuring.table import machine

from pilothouse.runtime.clock import SystemClock
from pilothouse.store.backup import read, write_backup
from pilothouse.store.sqlite import SqliteStore

WRITERS, RECORDS, STEPS = 32, 5000, 10
VALUE = b"x" * 1000


async def write(store: SqliteStore, mine: range, count: int) -> None:
    """Some writes of one writer: of each key in turn, every seventh time a deletion and a creation."""
    for number in range(count * 7 // 8):
        key = f"/{mine[number % len(mine)]}"
        record = await store.get(key)
        if record is None:
            record = await store.create(key, VALUE)
        if number % 7:
            await store.update(key, VALUE, expected=record.revision)
        else:
            await store.delete(key, expected=record.revision)
            await store.create(key, VALUE)
        await store.list(key, limit=1)


def size(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.0f} MB" if path.exists() else "none"


async def churn(path: Path, writes: int) -> None:
    """Do it, a line a tenth."""
    each = RECORDS // WRITERS
    print(f"{'writes':>10} {'a second':>9} {'CPU a write':>12} {'file':>8} {'log':>8} {'memory':>9}")
    async with SqliteStore(path, SystemClock()) as store:
        for _ in range(STEPS):
            begin, used, revision = time.monotonic(), cpu(os.getpid()), await store.revision()
            async with asyncio.TaskGroup() as tasks:
                for number in range(WRITERS):
                    mine = range(number * each, (number + 1) * each)
                    tasks.create_task(write(store, mine, writes // WRITERS // STEPS))
            done = await store.revision() - revision
            seconds, cost = time.monotonic() - begin, (cpu(os.getpid()) - used) / done
            log, now = path.with_name(f"{path.name}-wal"), await store.revision()
            print(
                f"{now:>10} {done / seconds:>9.0f} {cost * 1e6:>9.1f} us {size(path):>8} {size(log):>8} "
                f"{memory(os.getpid()):>5.0f} MiB",
                flush=True,
            )
        backup = path.with_name("backup.db")
        write_backup(await store.list(""), backup)
    print(f"backup of {len(read(backup).records)} records: {size(backup)}")
    begin = time.monotonic()
    records = len(read(path).records)
    print(f"read and checked again: {records} records in {time.monotonic() - begin:.1f} s")


def main() -> None:
    machine()
    with tempfile.TemporaryDirectory(dir="/var/tmp") as place:
        uvloop.run(churn(Path(place) / "state.db", int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))


if __name__ == "__main__":
    main()
