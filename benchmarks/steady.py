"""A load that takes four fifths of a core, held for minutes: whether memory or latency grows.

Of a hundred requests seventy are GET, ten small LISTs, ten patches, five creations and five deletions, of 2,000
ConfigMaps; twenty watchers hear of every change. Half of it all is asked over HTTP/1.1, half over HTTP/2. Requests
start at the times that their rate sets, whether or not others are late, so that waiting counts as latency.
Usage: steady.py [minutes]
"""

import asyncio
import random
import sys
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from itertools import cycle

import uvloop
from measuring.process import cpu, memory
from measuring.server import JSON, Begun, Refused, Server, serving
from measuring.table import machine

MERGE = {**JSON, "content-type": "application/merge-patch+json"}
MAPS = "/api/v1/namespaces/default/configmaps"
OBJECTS, WATCHERS, TICK = 2000, 20, 0.01
WANTED, LINES, CALIBRATIONS = 0.8, 10, 3


class Load:
    """Requests at a rate, and how long each took."""

    def __init__(self, servers: tuple[Server, ...]) -> None:
        self._servers = cycle(servers)
        self._random = random.Random(1)
        self._made = 0
        self._extra: list[int] = []
        self.rate = 200.0
        self.refused = 0
        self.latencies: list[float] = []

    def _one(self) -> Awaitable[bytes]:
        chosen, name, server = self._random.random(), self._random.randrange(OBJECTS), next(self._servers)
        if chosen < 0.70:
            return server.ask("GET", f"{MAPS}/kept-{name}")
        if chosen < 0.80:
            return server.ask("GET", f"{MAPS}?limit=20")
        if chosen < 0.90:
            return server.ask("PATCH", f"{MAPS}/kept-{name}", MERGE, {"data": {"n": str(self._random.random())}})
        if chosen < 0.95 or not self._extra:
            return self._make(server)
        return server.ask("DELETE", f"{MAPS}/made-{self._extra.pop()}")

    async def _make(self, server: Server) -> bytes:
        self._made += 1
        number = self._made
        answer = await server.ask("POST", MAPS, body={"metadata": {"name": f"made-{number}"}, "data": {"a": "b"}})
        self._extra.append(number)
        return answer

    async def _timed(self, due: float) -> None:
        try:
            await self._one()
        except Refused:
            self.refused += 1
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
        async with next(self._servers).stream(f"{MAPS}?watch=true&resourceVersion=0") as answer:
            async for _ in answer.body:
                pass


@dataclass(frozen=True)
class Stretch:
    """Some seconds of it."""

    rate: float
    share: float
    """Of a core."""
    p50: float
    p99: float
    slowest: float
    """Milliseconds, from when a request was due; the slowest is the 99.99th percentile."""
    memory: float
    refused: int

    def __str__(self) -> str:
        latencies = "".join(f"{each:>8.1f} ms" for each in (self.p50, self.p99, self.slowest))
        return f"{self.rate:>9.0f}/s {self.share:>7.0%}{latencies} {self.memory:>6.0f} MiB {self.refused:>8}"


async def measure(load: Load, pid: int, seconds: float) -> Stretch:
    """Run, and print a line."""
    load.latencies.clear()
    load.refused = 0
    used, begin = cpu(pid), time.monotonic()
    await load.run(seconds)
    share = (cpu(pid) - used) / (time.monotonic() - begin)
    waited = sorted(load.latencies)
    p50, p99, slowest = (waited[int(len(waited) * q)] * 1e3 for q in (0.5, 0.99, 0.9999))
    found = Stretch(load.rate, share, p50, p99, slowest, memory(pid), load.refused)
    print(found, flush=True)
    return found


async def run(begun: Begun, minutes: float) -> None:
    await begun.prepare()
    servers = (begun.user(), begun.user(http2=True))
    for start in range(0, OBJECTS, 100):
        bodies = ({"metadata": {"name": f"kept-{n}"}, "data": {"key": "v" * 700}} for n in range(start, start + 100))
        await asyncio.gather(*(servers[0].ask("POST", MAPS, body=body) for body in bodies))
    load, stretch = Load(servers), minutes * 60 / LINES
    machine()
    print(f"{'rate':>11} {'a core':>7} {'p50':>10} {'p99':>10} {'p99.99':>10} {'memory':>10} {'refused':>8}")
    async with asyncio.TaskGroup() as tasks:
        watchers = [tasks.create_task(load.watch()) for _ in range(WATCHERS)]
        for _ in range(CALIBRATIONS):
            load.rate *= WANTED / (await measure(load, begun.pid, min(20.0, stretch))).share
        print(f"held for {minutes:g} minutes:")
        found = [await measure(load, begun.pid, stretch) for _ in range(LINES)]
        for each in watchers:
            each.cancel()
    print("at the beginning, in the middle, at the end:")
    print(*(found[place] for place in (0, LINES // 2, -1)), sep="\n")
    for server in servers:
        await server.close()


def main() -> None:
    with serving() as begun:
        uvloop.run(run(begun, float(sys.argv[1]) if len(sys.argv) > 1 else 10.0))
    print(f"{begun.audited:,} requests, each of which has its line in the audit log.")


if __name__ == "__main__":
    main()
