"""CPU of the stores alone, by call, every write durable: one caller after the other, and sixteen at once."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import perf_counter, process_time

import uvloop
from measuring.etcd import etcd
from measuring.table import fact, heading, line

from pilothouse.runtime.clock import SystemClock
from pilothouse.store.etcd.store import EtcdStore
from pilothouse.store.interface import Store
from pilothouse.store.sqlite import SqliteStore

ROUNDS, COUNT = 5, 2000
VALUE = b"v" * 1000


async def cost(clients: int, work: Callable[[int], Awaitable[object]]) -> tuple[float, float]:
    """Seconds of CPU and of time for one write, in the cheapest of the rounds."""
    rounds = []
    for each in range(ROUNDS):
        numbers = iter(range(each * COUNT, (each + 1) * COUNT))

        async def client(numbers: "iter[int]" = numbers) -> None:
            for number in numbers:
                await work(number)

        before, begin = process_time(), perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(clients):
                tasks.create_task(client())
        rounds.append(((process_time() - before) / COUNT, (perf_counter() - begin) / COUNT))
    return min(rounds)


async def measure(store: Store) -> None:
    """Every write, and what a read with no resourceVersion costs."""
    kept: dict[int, int] = {}

    async def create(number: int) -> None:
        kept[number] = (await store.create(f"core/configmaps/default/{number}", VALUE)).revision

    async def update(number: int) -> None:
        record = await store.update(f"core/configmaps/default/{number}", VALUE, expected=kept[number])
        kept[number] = record.revision

    async def delete(number: int) -> None:
        await store.delete(f"core/configmaps/default/{number}", expected=kept[number])

    async def get(number: int) -> None:
        await store.get(f"core/configmaps/default/{number}")

    async def revision(_: int) -> None:
        await store.revision()

    for what, clients, work in (
        ("create 1 KB, 16 at once", 16, create),
        ("update 1 KB, 16 at once", 16, update),
        ("get 1 KB, 16 at once", 16, get),
        ("the latest revision, 16 at once", 16, revision),
        ("the latest revision, one after the other", 1, revision),
        ("delete, 16 at once", 16, delete),
        ("create 1 KB, one after the other", 1, create),
    ):
        cpu, wall = await cost(clients, work)
        line(what, cpu)
        fact(f"{what}: a second", f"{1 / wall:.0f}")


async def on_sqlite() -> None:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as place:
        async with SqliteStore(Path(place) / "state.db", SystemClock()) as store:
            await measure(store)


async def on_etcd(url: str) -> None:
    async with EtcdStore([url], SystemClock()) as store:
        await measure(store)


if __name__ == "__main__":
    heading("Store alone: SQLite")
    uvloop.run(on_sqlite())
    heading("Store alone: etcd, whose own CPU is not counted")
    with etcd() as url:
        uvloop.run(on_etcd(url))
