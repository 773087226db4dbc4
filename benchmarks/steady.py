"""A load that takes four fifths of a core, held for minutes: whether memory or latency grows.

Of a hundred requests seventy are GET, ten small LISTs, ten patches, five creations and five deletions, of 2,000
ConfigMaps; twenty watchers hear of every change. Requests start at the times that their rate sets, whether or not
others are late, so that waiting counts as latency. Usage: steady.py [minutes]
"""

import asyncio
import random
import sys
import time
from collections.abc import Awaitable

import uvloop
from measuring.process import memory
from measuring.server import GROUP, JSON, USER, Server, prepare, serving
from measuring.table import machine

MERGE = {**JSON, "content-type": "application/merge-patch+json"}
MAPS = "/api/v1/namespaces/default/configmaps"
OBJECTS, WATCHERS, TICK = 2000, 20, 0.01
WANTED, CALIBRATION, LINE = 0.8, 20.0, 60.0


class Load:
    """Requests at a rate, and how long each took."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._random = random.Random(1)
        self._made = 0
        self._extra: list[int] = []
        self.rate = 1000.0
        self.latencies: list[float] = []

    def _one(self) -> Awaitable[bytes]:
        chosen, name = self._random.random(), self._random.randrange(OBJECTS)
        if chosen < 0.70:
            return self._server.ask("GET", f"{MAPS}/kept-{name}")
        if chosen < 0.80:
            return self._server.ask("GET", f"{MAPS}?limit=20")
        if chosen < 0.90:
            return self._server.ask("PATCH", f"{MAPS}/kept-{name}", MERGE, {"data": {"n": str(self._random.random())}})
        if chosen < 0.95 or not self._extra:
            return self._make()
        return self._server.ask("DELETE", f"{MAPS}/made-{self._extra.pop()}")

    async def _make(self) -> bytes:
        self._made += 1
        number = self._made
        answer = await self._server.ask("POST", MAPS, body={"metadata": {"name": f"made-{number}"}, "data": {"a": "b"}})
        self._extra.append(number)
        return answer

    async def _timed(self, due: float) -> None:
        await self._one()
        self.latencies.append(time.monotonic() - due)

    async def run(self, seconds: float) -> None:
        """Keep the rate up for so long."""
        async with asyncio.TaskGroup() as tasks:
            due = time.monotonic()
            end = due + seconds
            while due < end:
                for _ in range(int(self.rate * TICK) or 1):
                    tasks.create_task(self._timed(due))
                due += TICK
                await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def watch(self) -> None:
        """Read every change."""
        async with self._server.stream("GET", f"{MAPS}?watch=true&resourceVersion=0", JSON) as answer:
            async for _ in answer.body:
                pass


async def measure(load: Load, server: Server, seconds: float) -> float:
    """Run, print a line, and return the share of a core."""
    load.latencies.clear()
    used, begin = server.cpu(), time.monotonic()
    await load.run(seconds)
    share = (server.cpu() - used) / (time.monotonic() - begin)
    found = sorted(load.latencies)
    p50, p99, most = (found[int(len(found) * q)] * 1e3 for q in (0.5, 0.99, 0.9999))
    print(
        f"{load.rate:>9.0f}/s {share:>7.0%} {p50:>8.1f} ms {p99:>8.1f} ms {most:>8.1f} ms "
        f"{memory(server.pid):>6.0f} MiB",
        flush=True,
    )
    return share


async def run(administrator: Server, server: Server, minutes: float) -> None:
    await prepare(administrator)
    for start in range(0, OBJECTS, 100):
        bodies = ({"metadata": {"name": f"kept-{n}"}, "data": {"key": "v" * 700}} for n in range(start, start + 100))
        await asyncio.gather(*(server.ask("POST", MAPS, body=body) for body in bodies))
    load = Load(server)
    machine()
    print(f"{'rate':>11} {'a core':>7} {'p50':>11} {'p99':>11} {'p99.99':>11} {'memory':>10}")
    async with asyncio.TaskGroup() as tasks:
        watchers = [tasks.create_task(load.watch()) for _ in range(WATCHERS)]
        for _ in range(3):
            load.rate *= WANTED / await measure(load, server, CALIBRATION)
        print("held:")
        for _ in range(max(1, int(minutes * 60 / LINE))):
            await measure(load, server, LINE)
        for each in watchers:
            each.cancel()


def main() -> None:
    with serving() as begun:
        minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
        uvloop.run(run(begun.server(), begun.server(USER, GROUP), minutes))


if __name__ == "__main__":
    main()
