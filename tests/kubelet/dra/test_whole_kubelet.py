"""A whole kubelet, with a real driver below `plugins_registry`, a real API server, and a fake runtime. In real time."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from fakes.dra_driver import DRIVER, DraDriver
from kubelet.dra.claiming import claim
from kubelet.test_main import config
from pilothouse.api.machinery.errors import NotFound
from pilothouse.api.types.core_v1 import Node, Pod
from pilothouse.api.types.resource_v1 import ResourceClaim, ResourceSlice
from pilothouse.kubelet import main
from pilothouse.kubelet.cri.interface import Image
from pilothouse.kubelet.parts import node_allocatable
from pilothouse.linux.cgroups import Cgroups
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import SystemClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.fake_cri import FakeCri

WEB = {
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {
        "nodeName": "n1", "hostNetwork": True, "automountServiceAccountToken": False,
        "resourceClaims": [{"name": "gpu", "resourceClaimName": "a"}],
        "containers": [{
            "name": "app", "image": "app:1", "resources": {"claims": [{"name": "gpu"}]},
            "terminationMessagePath": "/dev/termination-log",
        }],
    },
}  # fmt: skip
SLICE = {
    "metadata": {"name": "old"},
    "spec": {
        "nodeName": "n1", "driver": DRIVER, "devices": [],
        "pool": {"name": "n1", "generation": 1, "resourceSliceCount": 1},
    },
}  # fmt: skip


async def here(reading: Any) -> bool:
    try:
        await reading
    except NotFound:
        return False
    return True


def test_a_pod_gets_what_it_claims(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cgroups, "detect", lambda: Cgroups({}, None))
    monkeypatch.setattr(node_allocatable, "limit_pods", lambda *_: False)

    async def story() -> None:
        clock, chance = SystemClock(), Chance(1)
        async with Cluster(clock, chance) as cluster, DraDriver(tmp_path) as driver, Tasks() as tasks:
            client, cri = cluster.client(), FakeCri(clock, present={"app:1": Image("sha256:app", ("app:1",))})

            async def until(what: Any) -> None:
                async with clock.timeout(30):
                    while not await what():
                        await clock.sleep(0.02)

            async def phase() -> str:
                return (await client.get(Pod, "web", "default")).status.phase

            async def runs() -> bool:
                return await phase() == "Running"

            async def gone() -> bool:
                return not await here(client.get(Pod, "web", "default"))

            async def wiped() -> bool:
                return not await here(client.get(ResourceSlice, "old"))

            await client.create(Node, {"metadata": {"name": "n1"}})
            await client.create(ResourceSlice, SLICE)
            request = {"name": "gpu", "exactly": {"deviceClassName": "gpu"}}
            made = await client.create(
                ResourceClaim, {"metadata": {"name": "a"}, "spec": {"devices": {"requests": [request]}}}, "default"
            )
            tasks.spawn(main.run(config(tmp_path, clock.now()), client, cri, clock, chance), name="kubelet")
            await until(wiped)
            web = await client.create(Pod, WEB)
            status = claim("a", "web")["status"]
            status["reservedFor"][0]["uid"] = web.metadata.uid
            await client.update(ResourceClaim, {**made.literal(), "status": status}, subresource="status")
            await until(runs)
            assert driver.told == [(True, "")]
            (run,) = await cri.containers()
            assert cri.config_of(run.id)["CDI_devices"] == [{"name": f"{DRIVER}/gpu=a"}]
            await client.delete(Pod, "web", "default", grace_period=1)
            await until(gone)
            assert driver.calls() == ["NodePrepareResources a", "NodeUnprepareResources a"]
            tasks.cancel_all()

    asyncio.run(story())
