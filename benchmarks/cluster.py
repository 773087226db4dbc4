"""A whole cluster: how long `up` takes, and what its processes hold and use in a quiet minute.

With root and containerd the cluster has a node, and an application is asked until it answers; else it has none.
"""

import asyncio
import json
import os
import shutil
import time
import urllib.request
from pathlib import Path

import yaml
from measuring import process
from measuring.table import fact, heading, line
from measuring.whole import Whole, cluster

QUIET = 60.0
SETTLE = 20.0
CONTROL_PLANE = ("supervisor", "watcher", "apiserver", "control")
EXAMPLE = Path(__file__).parent.parent / "examples" / "hello"
JSON = {"accept": "application/json", "content-type": "application/json"}


def wakes(pid: int) -> int:
    """How often a process has begun to wait."""
    found = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        for each in (task / "status").read_text().splitlines():
            if each.startswith("voluntary_ctxt_switches"):
                found += int(each.split()[1])
    return found


def quiet(whole: Whole) -> None:
    """A minute in which nothing is asked."""
    time.sleep(SETTLE)
    pids = whole.pids()
    before = {role: (process.cpu(pid), wakes(pid)) for role, pid in pids.items()}
    time.sleep(QUIET)
    total = [0.0, 0.0]
    for role, pid in pids.items():
        cpu, woken, memory = process.cpu(pid) - before[role][0], wakes(pid) - before[role][1], process.memory(pid)
        if role in CONTROL_PLANE:
            total[0] += memory
            total[1] += cpu / QUIET
        fact(f"{role}, a quiet minute", f"{memory:.0f} MiB {cpu / QUIET:.2%} {woken} wakes")
    fact("control plane, a quiet minute: memory", f"{total[0]:.0f} MiB", "160 MB", "501–526 MiB")
    fact("control plane, a quiet minute: of a core", f"{total[1]:.2%}", "0.5 %", "6 %")


async def deploy(whole: Whole) -> str:
    """Make the objects of the example. Returns the address of its Service."""
    transport = whole.transport()
    for text in yaml.safe_load_all((EXAMPLE / "hello.yaml").read_text()):
        plural = f"{text['kind'].lower()}s"
        prefix = "/apis/apps/v1" if plural == "deployments" else "/api/v1"
        body = json.dumps(text).encode()
        answer = await transport.send("POST", f"{prefix}/namespaces/default/{plural}", JSON, body)
        assert answer.status == 201, answer.body
    await transport.close()
    return str(json.loads(answer.body)["spec"]["clusterIP"])


def application(whole: Whole) -> float:
    """Seconds from nothing but an empty cluster to the answer of an application: image, objects, containers."""
    begin = time.perf_counter()
    build = ("--build-context", "machine=/usr/bin", "-t", "hello:1", str(EXAMPLE))
    whole.run("image", "build", *build)
    address = asyncio.run(deploy(whole))
    while True:
        try:
            with urllib.request.urlopen(f"http://{address}/cgi-bin/answer", timeout=1) as answer:
                answer.read()
                return time.perf_counter() - begin
        except OSError:
            time.sleep(0.02)


def main() -> None:
    whole_node = os.geteuid() == 0 and shutil.which("containerd") is not None
    if not whole_node:
        print("no node: that takes root and containerd, so only the control plane is measured")
    heading("Whole cluster")
    with cluster(*(() if whole_node else ("--no-node",))) as whole:
        line("up to a Ready node, by the clock" if whole_node else "up, by the clock", whole.seconds, "3 s")
        quiet(whole)
        if whole_node:
            answered = application(whole)
            line("from there to an answering application", answered)
            line("up to an answering application", whole.seconds + answered, "8 s", "19.9 s (k3d)")


if __name__ == "__main__":
    main()
