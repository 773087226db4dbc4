"""CPU and memory of the API server by operation, through TLS and the complete chain; then a profile of the worst line.

An ordinary user's sixteen clients ask a server in a process of its own, over HTTP/1.1, where each has a connection,
and over HTTP/2, where they share one; on SQLite, and again on etcd.
"""

import argparse
import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, nullcontext
from typing import Any

import orjson
import uvloop
from measuring.etcd import etcd
from measuring.operation import HTTP, HTTP2, Measured, Operation, measure
from measuring.process import memory
from measuring.profile import sampled
from measuring.server import JSON, Begun, Server, serving
from measuring.table import heading, marked, row

MERGE = {**JSON, "content-type": "application/merge-patch+json"}
TABLE = {"accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
GZIP = {**JSON, "accept-encoding": "gzip"}
MAPS = "/api/v1/namespaces/default/configmaps"
PODS = "/api/v1/namespaces/default/pods"
BY_NODE = "fieldSelector=spec.nodeName%3Dnode-7"
SHAPES = 50
NODES = 100
KEPT = 500
WATCHERS = 100
PROFILE_SECONDS = 8


def config_map(number: int, **data: str) -> dict[str, Any]:
    return {"metadata": {"name": f"made-{number}"}, "data": {f"key-{number % SHAPES}": "v" * 700, **data}}


def pod(name: str, shape: str, number: int) -> dict[str, Any]:
    """3 KB as a client sends it. To managed fields its shape is new where the names of its containers are."""
    containers = [
        {
            "name": f"{shape}-{each}",
            "image": "registry.example.com/team/application:1.2.3",
            "env": [{"name": f"VARIABLE_{n}", "value": "x" * 50} for n in range(12)],
            "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "32Mi"}},
            "livenessProbe": {"httpGet": {"path": "/healthz", "port": 8080}},
        }
        for each in range(2)
    ]
    spec = {"automountServiceAccountToken": False, "nodeName": f"node-{number % NODES}", "containers": containers}
    return {"metadata": {"name": name, "labels": {"app": f"app-{shape}"}}, "spec": spec}


def status(number: int) -> dict[str, Any]:
    kinds = ("Initialized", "Ready", "ContainersReady", "PodScheduled")
    conditions = [{"type": kind, "status": "True"} for kind in kinds]
    return {
        "status": {"phase": "Running", "podIP": f"10.244.{number >> 8 & 255}.{number & 255}", "conditions": conditions}
    }


async def create_map(server: Server, number: int) -> None:
    await server.ask("POST", MAPS, body=config_map(number))


async def get_map(server: Server, number: int) -> None:
    await server.ask("GET", f"{MAPS}/made-{number % KEPT}")


async def patch_map(server: Server, number: int) -> None:
    await server.ask("PATCH", f"{MAPS}/made-{number % KEPT}", MERGE, {"data": {f"key-{number % SHAPES}": f"p{number}"}})


async def update_map(server: Server, number: int) -> None:
    await server.ask("PUT", f"{MAPS}/made-{number % KEPT}", body=config_map(number % KEPT, other=f"u{number}"))


async def create_pod(server: Server, number: int) -> None:
    await server.ask("POST", PODS, body=pod(f"pod-{number}", f"c{number % SHAPES}", number))
    await report_pod(server, number)


async def create_new_pod(server: Server, number: int) -> None:
    await server.ask("POST", PODS, body=pod(f"cold-{number}", f"cold{number}", number))
    await server.ask("PATCH", f"{PODS}/cold-{number}/status", MERGE, status(number))


async def report_pod(server: Server, number: int) -> None:
    await server.ask("PATCH", f"{PODS}/pod-{number}/status", MERGE, status(number))


def on_maps(*, is_etcd: bool) -> Iterator[Operation]:
    """Reads and writes of a ConfigMap."""
    get, create = ("250 µs", "800 µs") if is_etcd else ("60 µs", "350 µs")
    yield Operation("create a ConfigMap of 1 KB", 600, create_map, create, "680–890 µs")
    yield Operation("GET a ConfigMap of 1 KB", 2500, get_map, get, "410–630 µs", "" if is_etcd else "100 µs")
    yield Operation("merge patch of a ConfigMap", 600, patch_map, "400 µs", "710–1,160 µs")
    yield Operation("update of a ConfigMap", 600, update_map, "400 µs", "710–1,160 µs")


def making_pods(each: int) -> Iterator[Operation]:
    """Pods and their status; half of them by each protocol."""
    name = "create and status-patch a pod of 3 KB"
    yield Operation(f"{name}, of {SHAPES} shapes", each, create_pod, "1.5 ms", "4.0–7.3 ms")
    yield Operation(f"{name}, of a new shape", 50, create_new_pod)


def reading_pods(pods: int, size: float, version: str) -> Iterator[Operation]:
    """Lists of all and of few: as they are now, at least as they were, exactly as they were, with writes between."""

    def reading(query: str = "", headers: dict[str, str] = JSON, *, writes: bool = False) -> Any:
        async def read(server: Server, number: int) -> None:
            if writes:
                await write(server, number)
            await server.ask("GET", f"{PODS}?{query}", headers)

        return read

    async def write(server: Server, number: int) -> None:
        body = {"metadata": {"labels": {"written": str(number)}}}
        await server.ask("PATCH", f"{PODS}/pod-{number % pods}", MERGE, body)

    whole, few = f"LIST {pods:,} pods", f"LIST {pods // NODES} of {pods:,} by nodeName"
    cached, at_least = "resourceVersion=0", f"resourceVersion={version}&resourceVersionMatch=NotOlderThan"
    exactly = f"resourceVersion={version}&resourceVersionMatch=Exact"
    yield Operation(f"{whole}, {size:.0f} MB", 4, reading(), "40 ms", "336–541 ms")
    yield Operation(f"{whole}, a write before each", 4, reading(writes=True), "40 ms", less=write)
    yield Operation(f"{whole}, resourceVersion=0", 4, reading(cached), "40 ms")
    yield Operation(f"{whole}, not older than a version", 4, reading(at_least), "40 ms")
    yield Operation(f"{whole}, exactly at an earlier version", 4, reading(exactly))
    yield Operation(f"{whole}, gzipped", 4, reading(headers=GZIP), "25 ms", "308–391 ms")
    yield Operation(few, 200, reading(BY_NODE), "0.4 ms", "3.5–5.4 ms")
    yield Operation(f"{few}, a write before each", 200, reading(BY_NODE, writes=True), "0.4 ms", less=write)
    yield Operation(f"{few}, resourceVersion=0", 200, reading(f"{BY_NODE}&{cached}"), "0.4 ms")
    yield Operation("Table of 500 pods", 16, reading("limit=500", TABLE), "15 ms", "47–60 ms")


class Audience:
    """A hundred watchers of one ConfigMap, who must all have heard of a change before the next is made."""

    def __init__(self) -> None:
        self._seen = 0
        self._told = asyncio.Event()

    def operation(self) -> Operation:
        """What a change costs beyond what it costs without them, for each."""
        return Operation(
            f"one event to one of {WATCHERS} watchers", 50, self._told_change, "18 µs", "36–46 µs", less=self._change,
            clients=1, shared_by=WATCHERS, around=self._watching,
        )  # fmt: skip

    async def _change(self, server: Server, number: int) -> None:
        await server.ask("PATCH", f"{MAPS}/made-0", MERGE, {"data": {"shown": str(number)}})

    async def _told_change(self, server: Server, number: int) -> None:
        self._told.clear()
        await self._change(server, number)
        await self._told.wait()

    async def _watch(self, server: Server, opened: asyncio.Semaphore) -> None:
        target = f"{MAPS}?watch=true&fieldSelector=metadata.name%3Dmade-0&resourceVersion=0"
        async with server.stream(target) as answer:
            async for piece in answer.body:
                self._seen += piece.count(b'"type":"MODIFIED"')
                if b'"type":"ADDED"' in piece:
                    opened.release()
                if self._seen % WATCHERS == 0:
                    self._told.set()

    @asynccontextmanager
    async def _watching(self, server: Server) -> AsyncIterator[None]:
        opened = asyncio.Semaphore(0)
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(self._watch(server, opened)) for _ in range(WATCHERS)]
            for _ in range(WATCHERS):
                await opened.acquire()
            await asyncio.sleep(1)
            yield
            for task in running:
                task.cancel()


async def table(servers: dict[str, Server], options: argparse.Namespace, *, is_etcd: bool) -> list[Measured]:
    """All lines."""
    found = []
    a_round = options.pods // options.rounds // len(servers)
    for operation in (*on_maps(is_etcd=is_etcd), *making_pods(a_round)):
        found += await measure(operation, servers, options.rounds)
    server = servers[HTTP]
    known = ",".join(f"app-c{number}" for number in range(SHAPES))
    await server.ask("DELETE", f"{PODS}?labelSelector=app+notin+({known})&gracePeriodSeconds=0")
    listed = await server.ask("GET", PODS)
    pods, version = a_round * options.rounds * len(servers), orjson.loads(listed)["metadata"]["resourceVersion"]
    for operation in (*reading_pods(pods, len(listed) / 1e6, version), Audience().operation()):
        found += await measure(operation, servers, options.rounds)
    return found


async def profile(worst: Measured) -> None:
    """Print where the time of a line goes."""
    print(f"\nProfile of: {worst.operation.name}, {worst.protocol}: {worst.cost}, {worst.missed:.1f} times its budget")
    looking = asyncio.create_task(sampled(worst.server.pid, PROFILE_SECONDS))
    await worst.operation.repeat(worst.server, lambda: not looking.done())
    found = await looking
    if isinstance(found, str):
        print(found)
    else:
        found.show()


async def run(begun: Begun, options: argparse.Namespace, *, is_etcd: bool) -> None:
    await begun.prepare()
    servers = {HTTP: begun.user(), HTTP2: begun.user(http2=True)}
    heading(f"API server on {'etcd' if is_etcd else 'SQLite'}", tuple(servers))
    found = await table(servers, options, is_etcd=is_etcd)
    row("memory after all of this", "1.5 GB", "250 MB", marked(f"{memory(begun.pid):.0f} MiB", "250 MB"))
    worst_first = sorted((each for each in found if each.missed), key=lambda each: -each.missed)
    for each in worst_first[: options.profiles]:
        await profile(each)
    for server in servers.values():
        await server.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pods", nargs="?", type=int, default=5000)
    parser.add_argument("--store", choices=("sqlite", "etcd"), help="one of the stores; both without")
    parser.add_argument("--rounds", type=int, default=5, help="the cheapest of so many counts")
    parser.add_argument("--profiles", type=int, default=1, help="how many of the worst lines of a store are profiled")
    options = parser.parse_args()
    for store in (options.store,) if options.store else ("sqlite", "etcd"):
        if store == "etcd" and shutil.which("etcd") is None:
            print("\nno etcd is installed (make test-packages): it is left out")
            continue
        with etcd() if store == "etcd" else nullcontext("") as url, serving(url) as begun:
            uvloop.run(run(begun, options, is_etcd=store == "etcd"))
        print(f"\nThe user made {begun.audited:,} requests, each of which has its line in the audit log.")


if __name__ == "__main__":
    main()
