"""What must stay attached is told at once, on a real API server."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from kubelet.storing import Station
from kubelet.test_volume_users import record
from pilothouse.api.machinery.errors import ServiceUnavailable
from pilothouse.api.types.core_v1 import Node
from pilothouse.client.client import Client
from pilothouse.kubelet.parts.volumes_in_use import VolumesInUse
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.loop import run


class Moody:
    """A client that fails once."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._failed = False
        self.get = client.get

    async def patch(self, *what: Any, **how: Any) -> Any:
        if not self._failed:
            self._failed = True
            raise ServiceUnavailable("not now")
        return await self._client.patch(*what, **how)


def test_what_changes_is_told(tmp_path: Path) -> None:
    async def story(clock: Any, chance: Any) -> None:
        async with Cluster(clock, chance) as cluster, Tasks() as tasks:
            client, storage = cluster.client(), Station(tmp_path, clock).storage
            await client.create(Node, {"metadata": {"name": "n1"}})
            context = SimpleNamespace(
                client=Moody(client), config=SimpleNamespace(node_name="n1"),
                services=SimpleNamespace(clock=clock, storage=storage),
            )  # fmt: skip
            tasks.spawn(VolumesInUse().run(cast("Any", context)), name="in use")
            storage.users.note(record("a", "z", attachable=True))
            await clock.sleep(2)
            assert (await client.get(Node, "n1")).status.volumesInUse == ("z",)
            storage.users.note(record("b", "y", attachable=True))
            await clock.sleep(0.01)
            assert (await client.get(Node, "n1")).status.volumesInUse == ("y", "z")
            for one in (record("a", "z"), record("b", "y")):
                storage.users.forget(one)
            await clock.sleep(0.01)
            assert (await client.get(Node, "n1")).status.volumesInUse == ()

    run(story)
