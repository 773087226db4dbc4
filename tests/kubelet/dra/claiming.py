"""A node on which pods claim devices of real drivers on real sockets, in real time."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from fakes.dra_driver import DRIVER, DraDriver
from kubelet.observing import pod
from pilothouse.api.machinery.errors import NotFound
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Pod
from pilothouse.api.types.resource_v1 import ResourceClaim
from pilothouse.kubelet.dra.claim_info import ClaimError
from pilothouse.kubelet.dra.dynamic_resources import DynamicResources
from pilothouse.runtime.clock import SystemClock
from pilothouse.runtime.tasks import Tasks


def claim(name: str, *users: str, drivers: tuple[str, ...] = (DRIVER,), **meta: Any) -> JsonObject:
    """One that is allocated, and kept for pods of these names."""
    results = [
        {"request": "gpu", "driver": driver, "pool": "n1", "device": name, "adminAccess": meta.pop("admin", None)}
        for driver in drivers
    ]
    return {
        "metadata": {"name": name, "namespace": "default", "uid": f"uid-{name}", **meta},
        "status": {
            "allocation": {"devices": {"results": results}},
            "reservedFor": [{"resource": "pods", "name": user, "uid": f"uid-{user}"} for user in users],
        },
    }  # fmt: skip


def uses(*claims: str, name: str = "app", **more: Any) -> JsonObject:
    """A container that uses claims of its pod; `claim/request` for a part of one."""
    asked = [dict(zip(("name", "request"), one.split("/"), strict=False)) for one in claims]
    return {"name": name, "image": "app:1", "resources": {"claims": asked}, **more}


def user(name: str, *claims: str, containers: list[JsonObject] | None = None, **status: Any) -> Pod:
    """A pod that has claims, each called as it is."""
    meta = {"uid": f"uid-{name}", "name": name, "namespace": "default"}
    references = [{"name": one, "resourceClaimName": one} for one in claims]
    found = pod(metadata=meta, containers=containers or [uses(*claims)], resourceClaims=references)
    return Pod({**found.raw, "status": status})


class FakeClaims:
    """The API server."""

    def __init__(self) -> None:
        self.known: dict[str, JsonObject] = {}
        self.away = False

    def put(self, *claims: JsonObject) -> None:
        self.known.update((one["metadata"]["name"], one) for one in claims)

    async def claim(self, namespace: str, name: str) -> ResourceClaim:
        if self.away:
            raise TimeoutError
        if name not in self.known:
            raise NotFound(f'resourceclaims.resource.k8s.io "{name}" not found')
        return ResourceClaim(self.known[name])


class Bench:
    """Claims of a node below `root`, which another kubelet may take over."""

    def __init__(self, root: Path, tasks: Tasks) -> None:
        self.root = root
        self.clock = SystemClock()
        self.claims = FakeClaims()
        self.tasks = tasks
        self._made: list[DynamicResources] = []
        self.start()

    def start(self) -> None:
        """Have a kubelet, as if it had just started: no driver has registered."""
        self.resources = DynamicResources(self.root, self.claims, self.clock, self.tasks)
        self._made.append(self.resources)

    def driver(self, name: str = DRIVER, *services: str) -> DraDriver:
        return DraDriver(self.root, name, *services)

    async def connect(self, driver: DraDriver) -> None:
        """Have it registered, and know that it is there."""
        self.resources.plugins.add(driver.name, str(driver.socket), driver.services)
        await self.until(lambda: self.resources.plugins.plugin(driver.name).connected)

    async def until(self, what: Callable[[], bool]) -> None:
        async with self.clock.timeout(20):
            while not what():
                await self.clock.sleep(0.005)

    async def refused(self, one: Pod) -> str:
        """Why a pod cannot have what it claims; empty: it has it."""
        return await said(self.resources.prepare(one))

    async def kept(self, one: Pod) -> str:
        """Why a pod cannot give back what it has; empty: it has nothing now."""
        return await said(self.resources.unprepare(one.metadata.uid))

    async def close(self) -> None:
        for one in self._made:
            await one.plugins.close()


async def said(work: Coroutine[Any, Any, None]) -> str:
    """What is wrong; empty: nothing is."""
    try:
        await work
    except ClaimError as error:
        return str(error)
    return ""


Story = Callable[[Bench], Coroutine[Any, Any, None]]


def serve(root: Path, story: Story) -> None:
    """Tell a story of a node's claims."""

    async def main() -> None:
        async with Tasks() as tasks:
            bench = Bench(root, tasks)
            try:
                await story(bench)
            finally:
                await bench.close()

    asyncio.run(main())
