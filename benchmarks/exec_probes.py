"""A hundred exec probes a second, against a runtime that answers at once: what they cost the node besides running them.

The runtime is a gRPC server in a process of its own. On a real one each command costs more than all of this.
"""

import asyncio
import multiprocessing
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import uvloop
from measuring.process import cpu
from measuring.table import fact, heading, line

from pilothouse.api.types.core_v1 import HTTPGetAction, Pod
from pilothouse.kubelet.cri.client import CriClient
from pilothouse.kubelet.cri.interface import Container, ContainerState, Sandbox
from pilothouse.kubelet.observed import ObservedPod
from pilothouse.kubelet.probes.prober import Probes
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import SystemClock
from pilothouse.runtime.tasks import Tasks

PODS = 100
SETTLE, HELD = 3.0, 20.0


class Runtime(grpc.GenericRpcHandler):
    """Every command ends well."""

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        return grpc.unary_unary_rpc_method_handler(self.answer)

    async def answer(self, message: bytes, context: Any) -> bytes:
        return b""


def serve(socket: str) -> None:
    """Be the runtime until killed."""

    async def main() -> None:
        server = grpc.aio.server(handlers=[Runtime()])
        server.add_insecure_port(f"unix://{socket}")
        await server.start()
        await server.wait_for_termination()

    asyncio.run(main())


class Silent:
    """Hears of events."""

    def event(self, *_: object) -> None:
        raise AssertionError("a probe failed")


async def no_fetch(action: HTTPGetAction, host: str, port: int) -> tuple[int, str]:
    raise AssertionError("nobody asks by HTTP")


def pod(number: int) -> tuple[Pod, ObservedPod]:
    """One that runs, and is probed every second."""
    uid, now = f"uid-{number}", time.time() - 60
    command = {"exec": {"command": ["true"]}, "periodSeconds": 1, "timeoutSeconds": 1, "failureThreshold": 3}
    container = {"name": "app", "image": "app:1", "livenessProbe": command | {"successThreshold": 1}}
    manifest = Pod({
        "metadata": {"name": f"web-{number}", "namespace": "default", "uid": uid},
        "spec": {"containers": [container]}, "status": {},
    })  # fmt: skip
    box = Sandbox(f"s{number}", "web", "default", uid, 0, True, now, ("10.88.0.2",), False, {}, {}, "")
    run = Container(
        id=f"c{number}", sandbox_id=box.id, name="app", attempt=0, state=ContainerState.RUNNING, created_at=now,
        started_at=now,
    )  # fmt: skip
    return manifest, ObservedPod((box,), (run,))


class Counted(CriClient):
    """Counts what it asks."""

    count = 0

    async def exec_sync(self, *arguments: Any) -> Any:
        self.count += 1
        return await super().exec_sync(*arguments)


async def measure(socket: str) -> tuple[float, float]:
    """CPU seconds a second, and probes a second."""
    clock = SystemClock()
    async with Tasks() as tasks, Counted(socket, clock) as cri:
        probes = Probes(cri, clock, Chance(1), Silent(), no_fetch, tasks)
        for number in range(PODS):
            probes.attend(*pod(number), lambda: None)
        await asyncio.sleep(SETTLE)
        used, begun, asked = cpu(os.getpid()), time.monotonic(), cri.count
        await asyncio.sleep(HELD)
        seconds = time.monotonic() - begun
        return (cpu(os.getpid()) - used) / seconds, (cri.count - asked) / seconds


def main() -> None:
    heading("Exec probes")
    with tempfile.TemporaryDirectory() as place:
        socket = str(Path(place) / "cri.sock")
        runtime = multiprocessing.get_context("spawn").Process(target=serve, args=(socket,), daemon=True)
        runtime.start()
        while not Path(socket).exists():
            time.sleep(0.05)
        share, rate = uvloop.run(measure(socket))
        runtime.kill()
    fact(f"{PODS} exec probes a second, runtime aside: of a core", f"{share:.1%}", "15 %")
    fact("as many were asked", f"{rate:.0f} a second")
    line("one of them", share / rate)


if __name__ == "__main__":
    main()
