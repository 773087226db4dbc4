"""What persistent volumes ask of the API server, against a real one."""

from typing import Any

import pytest

from pilothouse.api.machinery.errors import Conflict, NotFound, ServiceUnavailable
from pilothouse.api.types.core_v1 import Node, PersistentVolumeClaim
from pilothouse.api.types.storage_v1 import CSIDriver
from pilothouse.client.informer import Lister
from pilothouse.kubelet.storage import ClientStorage
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.loop import run

CLAIM = {
    "metadata": {"name": "data", "namespace": "default"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}


def tell(story: Any) -> None:
    async def main(clock: Any, chance: Any) -> None:
        async with Cluster(clock, chance) as cluster:
            client, nodes = cluster.client(), Lister[Node]()
            await story(client, ClientStorage(client, "n1", nodes, clock), clock)

    run(main)


def test_objects_are_read() -> None:
    async def story(client: Any, storage: ClientStorage, clock: Any) -> None:
        await client.create(PersistentVolumeClaim, CLAIM)
        await client.create(Node, {"metadata": {"name": "n1"}})
        claim = await storage.claim("default", "data")
        assert (await storage.node()).metadata.name == "n1"
        for missing in (storage.volume("x"), storage.attachment("x"), storage.claim("default", "x")):
            with pytest.raises(NotFound):
                await missing
        capacity = {"capacity": {"storage": "2Gi"}}
        assert (await storage.patch_claim_status(claim, capacity)).status.capacity == {"storage": "2Gi"}
        with pytest.raises(Conflict):
            await storage.patch_claim_status(claim, {"capacity": {"storage": "3Gi"}})

    tell(story)


def test_a_driver_is_read_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(client: Any, storage: ClientStorage, clock: Any) -> None:
        assert await storage.driver("d") is None
        await client.create(CSIDriver, {"metadata": {"name": "d"}, "spec": {}})
        first = await storage.driver("d")
        assert first is not None

        async def broken(*what: Any) -> Any:
            raise ServiceUnavailable("not now")

        client.get = broken
        assert await storage.driver("d") is first
        await clock.sleep(60)
        assert await storage.driver("d") is first
        with pytest.raises(ServiceUnavailable):
            await storage.driver("other")

    tell(story)
