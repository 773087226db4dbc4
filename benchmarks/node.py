"""A node with real containers: how much longer a pod takes to start than its containers do, and what many pods cost.

The runtime's own time is that of the same sandbox and container asked of it directly, in the same run and in turns.
Takes root and containerd.
"""

import asyncio
import os
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import uvloop
from measuring import process
from measuring.table import fact, heading, line
from measuring.whole import Whole, cluster

from pilothouse.api.catalogue import builtin
from pilothouse.api.types.core_v1 import Pod
from pilothouse.client.client import Client
from pilothouse.client.memo import Memo
from pilothouse.cluster.node_places import containerd_config
from pilothouse.cluster.notes import Notes
from pilothouse.cluster.process import is_ready
from pilothouse.kubelet.cri.client import CriClient
from pilothouse.linux.cgroups import Cgroups
from pilothouse.runtime.clock import SystemClock

IMAGE = "docker.io/library/hello:1"
EXAMPLE = Path(__file__).parent.parent / "examples" / "hello"
ROUNDS, AT_ONCE, MANY, PROBED = 15, 30, 110, 20
MINUTE = 60.0
COMMAND = ["/bin/init", "--", "/bin/busybox", "sleep", "100000"]
PATIENCE = 300.0


@dataclass
class Node:
    """The cluster's node, its pods as they are told of, and the runtime below."""

    whole: Whole
    client: Client
    cri: CriClient
    place: Path
    name: str
    pods: dict[str, Pod] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def follow(self) -> None:
        """Keep `pods` true."""
        async with self.client.watch(Pod, "default", resource_version="0") as events:
            async for event in events:
                if event.type == "DELETED":
                    self.pods.pop(event.object.metadata.name, None)
                elif event.type in ("ADDED", "MODIFIED"):
                    self.pods[event.object.metadata.name] = event.object
                self.changed.set()

    async def until(self, reached: Callable[[], bool]) -> None:
        """Wait for what the watch tells."""
        async with asyncio.timeout(PATIENCE):
            while not reached():
                self.changed.clear()
                await self.changed.wait()

    async def create(self, names: Sequence[str], probe: dict[str, Any] | None = None) -> None:
        """Make pods on this node; the scheduler has no part in it."""
        container = {"name": "c", "image": IMAGE, "command": COMMAND, **({"livenessProbe": probe} if probe else {})}
        spec = {"nodeName": self.name, "terminationGracePeriodSeconds": 1, "containers": [container]}
        await asyncio.gather(
            *(self.client.create(Pod, {"metadata": {"name": name}, "spec": spec}, "default") for name in names)
        )

    def ready(self, names: Sequence[str]) -> bool:
        """Whether all of them are."""
        return all(name in self.pods and _is_ready(self.pods[name]) for name in names)

    async def clear(self) -> None:
        """Delete all pods."""
        await self.client.delete_collection(Pod, "default")
        await self.until(lambda: not self.pods)


def _is_ready(pod: Pod) -> bool:
    return any(each.type == "Ready" and each.status == "True" for each in pod.status.conditions)


async def alone(node: Node, name: str) -> str:
    """The same by the runtime's interface: what a pod's sandbox and container are to it. Returns the sandbox."""
    logs = node.place / name
    (logs / "c").mkdir(parents=True)
    for file in ("hosts", "log", "token"):
        (logs / file).touch()
    labels = {"io.kubernetes.pod.name": name, "io.kubernetes.pod.namespace": "alone", "io.kubernetes.pod.uid": name}
    sandbox = {
        "metadata": {"name": name, "namespace": "alone", "uid": name, "attempt": 0},
        "hostname": name, "log_directory": str(logs), "labels": labels,
        "linux": {"cgroup_parent": f"/alone/{name}", "security_context": {"namespace_options": {"pid": 1}}},
    }  # fmt: skip
    mounts = [{"container_path": f"/{file}", "host_path": str(logs / file)} for file in ("hosts", "log", "token")]
    container = {
        "metadata": {"name": "c", "attempt": 0}, "image": {"image": IMAGE}, "command": COMMAND, "mounts": mounts,
        "log_path": "c/0.log", "labels": labels,
        "linux": {"security_context": {"namespace_options": {"pid": 1}}},
    }  # fmt: skip
    made = await node.cri.run_sandbox(sandbox)
    await node.cri.start_container(await node.cri.create_container(made, container, sandbox))
    return made


async def gone(node: Node, sandboxes: Sequence[str]) -> None:
    """Remove what `alone` made."""
    for each in sandboxes:
        await node.cri.stop_sandbox(each)
        await node.cri.remove_sandbox(each)


async def single(node: Node) -> None:
    """One pod after the other, and its containers alone in between."""
    runtime, pods, used = [], [], []
    for number in range(ROUNDS):
        begin = time.perf_counter()
        made = await alone(node, f"single{number}")
        runtime.append(time.perf_counter() - begin)
        await gone(node, [made])
        name, before = f"single{number}", process.cpu(node.whole.pids()["node"])
        begin = time.perf_counter()
        await node.create([name])
        await node.until(lambda: node.ready([name]))  # noqa: B023 - it is waited for at once
        pods.append(time.perf_counter() - begin)
        used.append(process.cpu(node.whole.pids()["node"]) - before)
        await node.clear()
    line("sandbox and container, by the runtime alone", median(runtime))
    line("a pod from create to Ready, by the clock", median(pods))
    line("what the node adds to it", median(pods) - median(runtime), "60 ms")
    line("node process, a pod's start", median(used))


async def at_once(node: Node) -> None:
    """Thirty created together."""
    begin = time.perf_counter()
    made = await asyncio.gather(*(alone(node, f"together{number}") for number in range(AT_ONCE)))
    runtime = time.perf_counter() - begin
    await gone(node, made)
    names = [f"together{number}" for number in range(AT_ONCE)]
    begin = time.perf_counter()
    await node.create(names)
    await node.until(lambda: node.ready(names))
    pods = time.perf_counter() - begin
    line(f"{AT_ONCE} at once, by the runtime alone", runtime)
    line(f"{AT_ONCE} pods created at once, all Ready", pods)
    fact("the one of the other", f"{pods / runtime:.0%}", "130 %")
    await node.clear()


async def many(node: Node) -> None:
    """A full node, held for a minute; then the process ends and comes back."""
    names = [f"many{number}" for number in range(MANY)]
    begin = time.perf_counter()
    await node.create(names)
    await node.until(lambda: node.ready(names))
    line(f"{MANY} pods created at once, all Ready", time.perf_counter() - begin)
    await asyncio.sleep(10)
    pid = node.whole.pids()["node"]
    before, held = process.cpu(pid), time.perf_counter()
    await asyncio.sleep(MINUTE)
    share = (process.cpu(pid) - before) / (time.perf_counter() - held)
    fact(f"node process, {MANY} pods: memory", f"{process.memory(pid):.0f} MiB", "120 MB")
    fact(f"node process, {MANY} pods: of a core", f"{share:.1%}", "3 %")
    await restart(node, pid)
    await node.clear()


async def restart(node: Node, pid: int) -> None:
    """How long the node is away; containers must not notice."""
    before = {each.id for each in await node.cri.containers()}
    begin = time.perf_counter()
    os.kill(pid, signal.SIGKILL)
    while True:
        found = Notes(node.whole.home).living().get("node")
        if found is not None and found.pid != pid and is_ready(node.whole.home, "node", found):
            break
        await asyncio.sleep(0.01)
    line(f"node process killed, {MANY} pods: back and Ready", time.perf_counter() - begin, "2 s")
    assert {each.id for each in await node.cri.containers()} == before, "containers have changed"


async def probed(node: Node) -> None:
    """An exec probe a second in each of some pods."""
    names = [f"probed{number}" for number in range(PROBED)]
    await node.create(names, {"exec": {"command": ["/bin/busybox", "true"]}, "periodSeconds": 1, "timeoutSeconds": 5})
    await node.until(lambda: node.ready(names))
    pid = node.whole.pids()["node"]
    before, held = process.cpu(pid), time.perf_counter()
    await asyncio.sleep(MINUTE / 2)
    share = (process.cpu(pid) - before) / (time.perf_counter() - held)
    fact(f"node process, {PROBED} exec probes a second", f"{share:.1%}")
    restarts = sum(each.restartCount for pod in node.pods.values() for each in pod.status.containerStatuses)
    fact("containers that were started again meanwhile", f"{restarts}")
    await node.clear()


@asynccontextmanager
async def node_of(whole: Whole, place: Path) -> AsyncIterator[Node]:
    clock = SystemClock()
    client = Client(whole.transport(), builtin(), clock, agent="benchmark", memo=Memo())
    socket = str(containerd_config(whole.home).socket)
    async with CriClient(socket, clock) as cri:
        found = Node(whole, client, cri, place, os.uname().nodename)
        following = asyncio.create_task(found.follow())
        yield found
        following.cancel()


async def measure(whole: Whole) -> None:
    place = whole.home.path.parent / "alone"
    async with node_of(whole, place) as node:
        try:
            for part in (single, at_once, probed, many):
                await part(node)
        finally:
            Cgroups.detect().remove("/alone")


def main() -> None:
    if os.geteuid() != 0 or shutil.which("containerd") is None:
        sys.exit("a node takes root and containerd")
    heading("Node")
    with cluster() as whole:
        whole.run("image", "build", "--build-context", "machine=/usr/bin", "-t", "hello:1", str(EXAMPLE))
        uvloop.run(measure(whole))


if __name__ == "__main__":
    main()
