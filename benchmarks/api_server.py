"""CPU and memory of the API server, as its own process under `pilothouse up --no-node`, by operation.

The clients run here, in another process, and are not counted; the CPU is that of the server's process, with its SQLite
store. The client is an administrator over HTTP/1.1 and TLS. Usage: api_server.py [pods]
"""

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop

from pilothouse.client.transport import HttpTransport
from pilothouse.cluster.addresses import free_port
from pilothouse.cluster.home import Home
from pilothouse.cluster.pki import Pki
from pilothouse.cluster.settings import Settings
from pilothouse.runtime.clock import SystemClock

JSON = {"accept": "application/json", "content-type": "application/json"}
MERGE = {**JSON, "content-type": "application/merge-patch+json"}
TABLE = {"accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
PODS = "/api/v1/namespaces/default/pods"
CLIENTS = 16
TICKS = os.sysconf("SC_CLK_TCK")
SPEC = {
    "serviceAccountName": "default",
    "automountServiceAccountToken": False,
    "nodeName": "",
    "containers": [
        {
            "name": f"c{number}",
            "image": "registry.example.com/team/application:1.2.3",
            "env": [{"name": f"VARIABLE_{each}", "value": "x" * 20} for each in range(10)],
            "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "32Mi"}},
            "livenessProbe": {"httpGet": {"path": "/healthz", "port": 8080}},
        }
        for number in range(2)
    ],
}


class Server:
    """The server's process, and ways to ask it."""

    def __init__(self, pid: int, transport: HttpTransport) -> None:
        self.pid = pid
        self.transport = transport

    def cpu(self) -> float:
        """Seconds of CPU used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self) -> float:
        """MiB, by PSS."""
        found = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{self.pid}/smaps_rollup").read_text(), re.MULTILINE)
        return int(found[1]) / 1024 if found else 0.0

    async def ask(self, method: str, target: str, headers: dict[str, str], body: bytes = b"") -> bytes:
        answer = await self.transport.send(method, target, headers, body)
        if answer.status >= 300:
            raise RuntimeError(f"{method} {target}: {answer.status} {answer.body[:300]!r}")
        return answer.body

    async def measure(self, name: str, count: int, work: Callable[[int], Awaitable[object]]) -> None:
        """Do `work` for each number below `count`, by sixteen clients, and print what one costs."""
        numbers = iter(range(count))

        async def client() -> None:
            for number in numbers:
                await work(number)

        before, begin = self.cpu(), time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(CLIENTS):
                tasks.create_task(client())
        each = (self.cpu() - before) / count
        rate = count / (time.perf_counter() - begin)
        print(f"{name:<44}{each * 1e6:10.0f} us CPU {rate:10.0f}/s {self.memory():8.0f} MiB", flush=True)


def pod(number: int) -> bytes:
    metadata = {"name": f"pod-{number}", "labels": {"app": f"app-{number % 50}"}}
    spec = {**SPEC, "nodeName": f"node-{number % 100}"}
    return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}).encode()


async def run(server: Server, pods: int) -> None:
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"key": "v" * 700}}

    def create(number: int) -> Awaitable[bytes]:
        body = json.dumps({**config_map, "metadata": {"name": f"made-{number}"}}).encode()
        return server.ask("POST", CONFIG_MAPS, JSON, body)

    def patch(number: int) -> Awaitable[bytes]:
        body = json.dumps({"data": {"other": str(number)}}).encode()
        return server.ask("PATCH", f"{CONFIG_MAPS}/made-{number % 500}", MERGE, body)

    def status(number: int) -> Awaitable[bytes]:
        body = json.dumps({"status": {"phase": "Running", "podIP": "10.244.0.9"}}).encode()
        return server.ask("PATCH", f"{PODS}/pod-{number}/status", MERGE, body)

    print(f"{'empty server':<44}{'':10}        {'':10}   {server.memory():8.0f} MiB")
    await server.measure("create ConfigMap", 4000, create)
    await server.measure("GET ConfigMap", 20000, lambda n: server.ask("GET", f"{CONFIG_MAPS}/made-{n % 500}", JSON))
    await server.measure("merge patch ConfigMap", 4000, patch)
    await server.measure("create pod, 3 KB", pods, lambda n: server.ask("POST", PODS, JSON, pod(n)))
    await server.measure("status patch of a pod", pods, status)
    await server.measure(f"LIST {pods} pods", 16, lambda _: server.ask("GET", PODS, JSON))
    gzipped = {**JSON, "accept-encoding": "gzip"}
    await server.measure(f"LIST {pods} pods, gzipped", 16, lambda _: server.ask("GET", PODS, gzipped))
    by_node = f"{PODS}?fieldSelector=spec.nodeName%3Dnode-7"
    await server.measure(f"LIST {pods // 100} of {pods} by nodeName", 500, lambda _: server.ask("GET", by_node, JSON))
    await server.measure("Table of 500 pods", 32, lambda _: server.ask("GET", f"{PODS}?limit=500", TABLE))
    await fan_out(server, watchers=100, events=200)


async def fan_out(server: Server, watchers: int, events: int) -> None:
    """One change to every watcher."""
    seen = 0
    opened = asyncio.Event()
    finished = asyncio.Event()
    waiting = watchers

    async def watch() -> None:
        nonlocal seen, waiting
        target = f"{CONFIG_MAPS}?watch=true&fieldSelector=metadata.name%3Dshown&resourceVersion=0"
        async with server.transport.stream("GET", target, JSON) as answer:
            waiting -= 1
            if not waiting:
                opened.set()
            async for piece in answer.body:
                seen += piece.count(b'"type":"MODIFIED"')
                if seen >= watchers * events:
                    finished.set()

    shown = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shown"}}
    await server.ask("POST", CONFIG_MAPS, JSON, json.dumps(shown).encode())
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(watch()) for _ in range(watchers)]
        await opened.wait()
        before = server.cpu()
        for number in range(events):
            body = json.dumps({"data": {"n": str(number)}}).encode()
            await server.ask("PATCH", f"{CONFIG_MAPS}/shown", MERGE, body)
        await finished.wait()
        each = (server.cpu() - before) / (watchers * events)
        for task in running:
            task.cancel()
    print(f"{f'one event to one of {watchers} watchers':<44}{each * 1e6:10.1f} us CPU (with the change itself)")


def main() -> None:
    """Bring a control plane up, measure, and take it down."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as place:
        Path(place).chmod(0o711)
        home = Home(Path(place) / "home")
        command = [sys.executable, "-m", "pilothouse.cli"]
        end = ["--home", str(home.path)]
        begin = time.perf_counter()
        subprocess.run(
            [*command, "up", "--no-node", "--port", str(free_port(0)), *end], check=True, capture_output=True
        )
        print(f"up --no-node: {time.perf_counter() - begin:.2f} s")
        try:
            status = json.loads(
                subprocess.run([*command, "status", "-o", "json", *end], capture_output=True, check=True).stdout
            )
            whole = sum(each["memory"] for each in status["processes"]) / 2**20
            print(f"whole control plane: {whole:.0f} MiB PSS")
            pid = next(each["pid"] for each in status["processes"] if each["role"] == "apiserver")
            access = Pki(home, Settings.load(home)).access("admin", "admin")
            server = Server(pid, access.transport(SystemClock()))
            uvloop.run(run(server, int(sys.argv[1]) if len(sys.argv) > 1 else 5000))
        finally:
            subprocess.run([*command, "down", "--delete", *end], check=True, capture_output=True)


if __name__ == "__main__":
    main()
