"""CPU and memory of the API server by operation, through TLS and the whole chain, on SQLite or etcd; of it alone.

Sixteen clients of an ordinary user ask a server in a process of its own. Usage: api_server.py [pods] [--etcd]
[--http2], which has the GET measured over HTTP/2 too, on one connection.
"""

import asyncio
import sys
from collections.abc import Awaitable
from contextlib import nullcontext
from typing import Any

import uvloop
from measuring.etcd import etcd
from measuring.http2 import Http2Client
from measuring.process import memory
from measuring.server import GROUP, JSON, USER, Server, prepare, serving
from measuring.table import fact, heading, line, machine

MERGE = {**JSON, "content-type": "application/merge-patch+json"}
TABLE = {"accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
GZIP = {**JSON, "accept-encoding": "gzip"}
MAPS = "/api/v1/namespaces/default/configmaps"
PODS = "/api/v1/namespaces/default/pods"
ROUNDS = 5
WATCHERS = 100


def config_map(number: int, **data: str) -> dict[str, Any]:
    return {"metadata": {"name": f"made-{number}"}, "data": {"key": "v" * 700, **data}}


def pod(number: int) -> dict[str, Any]:
    """3 KB as a client sends it."""
    containers = [
        {
            "name": f"c{each}",
            "image": "registry.example.com/team/application:1.2.3",
            "env": [{"name": f"VARIABLE_{n}", "value": "x" * 50} for n in range(12)],
            "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "32Mi"}},
            "livenessProbe": {"httpGet": {"path": "/healthz", "port": 8080}},
        }
        for each in range(2)
    ]
    spec = {"automountServiceAccountToken": False, "nodeName": f"node-{number % 100}", "containers": containers}
    return {"metadata": {"name": f"pod-{number}", "labels": {"app": f"app-{number % 50}"}}, "spec": spec}


async def changes(server: Server) -> None:
    """Reads and writes of a ConfigMap of 1 KB."""

    def create(number: int) -> Awaitable[bytes]:
        return server.ask("POST", MAPS, body=config_map(number))

    def get(number: int) -> Awaitable[bytes]:
        return server.ask("GET", f"{MAPS}/made-{number % 500}")

    def patch(number: int) -> Awaitable[bytes]:
        return server.ask("PATCH", f"{MAPS}/made-{number % 500}", MERGE, {"data": {"other": str(number)}})

    def update(number: int) -> Awaitable[bytes]:
        return server.ask("PUT", f"{MAPS}/made-{number % 500}", body=config_map(number % 500, other=f"u{number}"))

    line("create ConfigMap", await server.best(ROUNDS, 600, create), "350 us")
    line("GET ConfigMap", await server.best(ROUNDS, 2500, get), "60 us")
    line("merge patch of a ConfigMap", await server.best(ROUNDS, 600, patch), "400 us")
    line("update of a ConfigMap", await server.best(ROUNDS, 600, update), "400 us")


async def many(server: Server, pods: int) -> None:
    """Pods: written one by one, read together."""

    async def create(number: int) -> None:
        await server.ask("POST", PODS, body=pod(number))

    async def status(number: int) -> None:
        body = {"status": {"phase": "Running", "podIP": "10.244.0.9", "conditions": [
            {"type": kind, "status": "True"} for kind in ("Initialized", "Ready", "ContainersReady", "PodScheduled")
        ]}}  # fmt: skip
        await server.ask("PATCH", f"{PODS}/pod-{number}/status", MERGE, body)

    created = await server.best(ROUNDS, pods // ROUNDS, create)
    changed = await server.best(ROUNDS, pods // ROUNDS, status)
    line("create a pod of 3 KB", created)
    line("status patch of that pod", changed)
    line("both", created + changed, "1.5 ms")
    size = len(await server.ask("GET", PODS)) / 1e6
    line(f"LIST {pods} pods, {size:.0f} MB", await server.best(ROUNDS, 4, lambda _: server.ask("GET", PODS)), "40 ms")
    zipped = await server.best(ROUNDS, 4, lambda _: server.ask("GET", PODS, GZIP))
    line(f"LIST {pods} pods, gzipped", zipped, "25 ms")
    by_node = f"{PODS}?fieldSelector=spec.nodeName%3Dnode-7"
    few = await server.best(ROUNDS, 200, lambda _: server.ask("GET", by_node))
    line(f"LIST {pods // 100} of {pods} by nodeName", few, "0.4 ms")
    rows = await server.best(ROUNDS, 16, lambda _: server.ask("GET", f"{PODS}?limit=500", TABLE))
    line("Table of 500 pods", rows, "15 ms")


async def fan_out(server: Server) -> None:
    """One change to every one of a hundred watchers; the cost of the change itself, without watchers, taken off."""
    seen = 0
    waiting = WATCHERS
    opened, told = asyncio.Event(), asyncio.Event()

    async def watch() -> None:
        nonlocal seen, waiting
        target = f"{MAPS}?watch=true&fieldSelector=metadata.name%3Dshown&resourceVersion=0"
        async with server.stream("GET", target, JSON) as answer:
            waiting -= 1
            if not waiting:
                opened.set()
            async for piece in answer.body:
                seen += piece.count(b'"type":"MODIFIED"')
                if seen % WATCHERS == 0:
                    told.set()

    async def change(number: int) -> None:
        await server.ask("PATCH", f"{MAPS}/shown", MERGE, {"data": {"n": str(number)}})

    async def told_change(number: int) -> None:
        told.clear()
        await change(number)
        await told.wait()

    async def one_by_one(work: Any, start: int) -> float:
        before = server.cpu()
        for number in range(start, start + 50):
            await work(number)
        return (server.cpu() - before) / 50

    await server.ask("POST", MAPS, body={"metadata": {"name": "shown"}})
    alone = min([await one_by_one(change, 50 * each) for each in range(ROUNDS)])
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(watch()) for _ in range(WATCHERS)]
        await opened.wait()
        await asyncio.sleep(1)
        whole = min([await one_by_one(told_change, 1000 + 50 * each) for each in range(ROUNDS)])
        for task in running:
            task.cancel()
    line(f"one event to one of {WATCHERS} watchers", (whole - alone) / WATCHERS, "18 us")


async def over_http2(server: Server, connection: Http2Client) -> None:
    """The GET of `changes`, by sixteen clients on one connection."""
    async with connection:

        def get(number: int) -> Awaitable[bytes]:
            return connection.get(f"{MAPS}/made-{number % 500}", {"accept": "application/json"})

        line("GET ConfigMap, HTTP/2", await server.best(ROUNDS, 2500, get), "100 us")


async def run(administrator: Server, server: Server, second: Http2Client | None, pods: int) -> None:
    await prepare(administrator)
    heading("API server")
    machine()
    await changes(server)
    if second is not None:
        await over_http2(server, second)
    await many(server, pods)
    await fan_out(server)


def flags(etcd_servers: str, *, http2: bool) -> dict[str, str]:
    """What the API server is told."""
    return {"disable-http2-serving": str(not http2).lower()} | ({"etcd-servers": etcd_servers} if etcd_servers else {})


def main() -> None:
    numbers = [int(word) for word in sys.argv[1:] if not word.startswith("--")]
    http2 = "--http2" in sys.argv
    with etcd() if "--etcd" in sys.argv else nullcontext("") as url, serving(flags(url, http2=http2)) as begun:
        second = begun.http2(USER, GROUP) if http2 else None
        uvloop.run(run(begun.server(), begun.server(USER, GROUP), second, numbers[0] if numbers else 5000))
        machine()
        fact("memory after all this", f"{memory(begun.pid):.0f} MiB", "250 MiB")


if __name__ == "__main__":
    main()
