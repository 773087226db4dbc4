"""What persistent volumes ask of the API server, against a real one."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kubelet.test_volume_users import record
from pilothouse.api.machinery.errors import Conflict, Forbidden, NotFound, ServiceUnavailable
from pilothouse.api.types.core_v1 import Node, PersistentVolume, PersistentVolumeClaim, Pod
from pilothouse.api.types.storage_v1 import CSIDriver, VolumeAttachment
from pilothouse.apiserver.user import User
from pilothouse.client.informer import Lister
from pilothouse.controllers.main import ControllersConfig
from pilothouse.kubelet.csi.client import DriverInfo
from pilothouse.kubelet.csi.node_info import NodeInfo
from pilothouse.kubelet.layout import Layout
from pilothouse.kubelet.parts.volumes_in_use import VolumesInUse
from pilothouse.kubelet.storage import ClientStorage
from pilothouse.kubelet.volume_users import VolumeUsers
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.loop import run

CLAIM: dict[str, Any] = {
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


@pytest.mark.parametrize("away", [ServiceUnavailable("not now"), ConnectionRefusedError("gone"), TimeoutError("late")])
def test_a_driver_is_read_now_and_then(away: Exception) -> None:
    async def story(client: Any, storage: ClientStorage, clock: Any) -> None:
        assert await storage.driver("d") is None
        await client.create(CSIDriver, {"metadata": {"name": "d"}, "spec": {}})
        first = await storage.driver("d")
        assert first is not None

        async def broken(*what: Any) -> Any:
            raise away

        client.get = broken
        assert await storage.driver("d") is first
        await clock.sleep(60)
        assert await storage.driver("d") is first
        with pytest.raises(type(away)):
            await storage.driver("other")

    tell(story)


def test_a_node_may_do_all_this_for_its_pods_and_not_for_others(tmp_path: Path) -> None:
    """With access controlled, as the node's own user."""

    async def story(clock: Any, chance: Any) -> None:
        async with Cluster(clock, chance, manager=ControllersConfig()) as cluster, Tasks() as tasks:
            admin = cluster.client()
            client = cluster.client(User("system:node:n1", ("system:nodes", "system:authenticated")))
            await prepare(admin)
            storage = ClientStorage(client, "n1", Lister[Node](), clock)
            claim = await storage.claim("default", "data")
            assert (await storage.volume("pv1")).spec.csi.volumeHandle == "h1"
            assert (await storage.attachment("csi-1")).spec.nodeName == "n1"
            assert await storage.driver("d") is not None
            status = {"allocatedResourceStatuses": {"storage": "NodeResizeInProgress"}}
            await storage.patch_claim_status(claim, status)
            for foreign in (storage.claim("default", "other"), storage.volume("pv2"), storage.attachment("csi-2")):
                with pytest.raises(Forbidden):
                    await foreign
            await NodeInfo(client, "n1").install("d", DriverInfo("id", 3, {"zone": "a"}))
            users = VolumeUsers(Layout(tmp_path, tmp_path))
            users.note(record("a", "k", attachable=True))
            context = SimpleNamespace(
                client=client, config=SimpleNamespace(node_name="n1"),
                services=SimpleNamespace(clock=clock, storage=SimpleNamespace(users=users)),
            )  # fmt: skip
            tasks.spawn(VolumesInUse().run(cast("Any", context)), name="in use")
            await clock.sleep(1)
            assert (await storage.node()).status.volumesInUse == ("k",)

    run(story)


async def prepare(admin: Any) -> None:
    """A pod of the node that uses a claim, and another claim that it does not use."""
    await admin.create(Node, {"metadata": {"name": "n1"}})
    await admin.create(CSIDriver, {"metadata": {"name": "d"}, "spec": {}})
    for number, name in ((1, "data"), (2, "other")):
        made = await admin.create(PersistentVolumeClaim, {
            **CLAIM, "metadata": {"name": name, "namespace": "default"},
            "spec": {**CLAIM["spec"], "volumeName": f"pv{number}"},
        })  # fmt: skip
        reference = {"namespace": "default", "name": name, "uid": made.metadata.uid}
        await admin.create(PersistentVolume, {
            "metadata": {"name": f"pv{number}"},
            "spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "claimRef": reference,
                     "csi": {"driver": "d", "volumeHandle": f"h{number}"}},
        })  # fmt: skip
        await admin.create(VolumeAttachment, {
            "metadata": {"name": f"csi-{number}"},
            "spec": {"attacher": "d", "nodeName": f"n{number}", "source": {"persistentVolumeName": f"pv{number}"}},
        })  # fmt: skip
    await admin.create(Pod, {
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"nodeName": "n1", "containers": [{"name": "app", "image": "app:1"}],
                 "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]},
    })  # fmt: skip
