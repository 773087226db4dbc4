"""The node's CSINode comes about, though the API server may not answer at first."""

from types import SimpleNamespace
from typing import Any, cast

from pilothouse.api.machinery.errors import ServiceUnavailable
from pilothouse.api.types.core_v1 import Node
from pilothouse.api.types.storage_v1 import CSINode
from pilothouse.client.client import Client
from pilothouse.kubelet.parts.csi_node import CsiNodeObject
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.loop import run


class Moody:
    """A client that fails twice."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._left = 2
        self.create = client.create

    async def get(self, *what: Any) -> Any:
        self._left -= 1
        if self._left >= 0:
            raise ServiceUnavailable("not now")
        return await self._client.get(*what)


def test_it_is_made_once_the_server_answers() -> None:
    async def story(clock: Any, chance: Any) -> None:
        async with Cluster(clock, chance) as cluster:
            await cluster.client().create(Node, {"metadata": {"name": "n1"}})
            context = SimpleNamespace(
                client=Moody(cluster.client()), config=SimpleNamespace(node_name="n1"),
                services=SimpleNamespace(clock=clock),
            )  # fmt: skip
            await CsiNodeObject().run(cast("Any", context))
            assert (await cluster.client().get(CSINode, "n1")).spec.drivers == ()

    run(story)
