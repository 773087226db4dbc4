"""A node whose devices are real plugins' on real sockets, in real time."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from fakes.device_plugin import RESOURCE, DevicePlugin
from kubelet.observing import pod
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.devices.hand_out import Devices
from pilothouse.runtime.clock import SystemClock
from pilothouse.runtime.tasks import Tasks

GOOD, BAD = "Healthy", "Unhealthy"


def wanting(size: int, name: str = "app", resource: str = RESOURCE, **more: Any) -> JsonObject:
    """A container that asks for devices."""
    return {"name": name, "image": "app:1", "resources": {"limits": {resource: str(size)}}, **more}


def user(name: str, *containers: JsonObject, **spec: Any) -> Pod:
    """A pod of them."""
    meta = {"uid": f"uid-{name}", "name": name, "namespace": "default"}
    return pod(metadata=meta, containers=list(containers) or [wanting(1)], **spec)


class Bench:
    """Devices below `root`, which another kubelet may take over."""

    def __init__(self, root: Path, tasks: Tasks) -> None:
        self.directory = root / "device-plugins"
        self.clock = SystemClock()
        self.active: set[str] | None = None
        self.near: list[int] | None = None
        self._tasks = tasks
        self.start()

    def start(self) -> None:
        """Have a kubelet, as if it had just started."""
        near: Any = lambda _uid, _container: self.near  # noqa: E731 - as long as it is short
        self.devices = Devices(self.directory, self.clock, self._tasks, lambda: self.active, near)

    def plugin(self, resource: str = RESOURCE, **health: str) -> DevicePlugin:
        return DevicePlugin(self.directory / f"{resource.rpartition('/')[2]}.sock", resource, **health)

    async def connect(self, plugin: DevicePlugin) -> None:
        """Have it, and know what it has."""
        await self.devices.plugins.connect(plugin.resource, plugin.socket)
        await self.until(lambda: bool(self.devices.stock.devices(plugin.resource)))

    async def until(self, what: Callable[[], bool]) -> None:
        async with self.clock.timeout(20):
            while not what():
                await self.clock.sleep(0.005)

    async def refused(self, one: Pod) -> str:
        """Why a pod is not taken; empty: it is."""
        refusal = await self.devices.hand_out(one)
        assert refusal is None or refusal.reason == "UnexpectedAdmissionError"
        return refusal.message if refusal is not None else ""

    def held(self, one: Pod, container: str = "app") -> str:
        """What a container has."""
        told = self.devices.of(one.metadata.uid, container)
        return "".join(name for device in told["devices"] for name in device["device_ids"])


Story = Callable[[Bench], Coroutine[Any, Any, None]]


def serve(root: Path, story: Story) -> None:
    """Tell a story of a node's devices."""

    async def main() -> None:
        async with Tasks() as tasks:
            bench = Bench(root, tasks)
            try:
                await story(bench)
            finally:
                await bench.devices.plugins.close()

    asyncio.run(main())
