"""What the cluster is told of the node's drivers, on a real API server."""

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from pilothouse.api.types.core_v1 import Node
from pilothouse.api.types.storage_v1 import CSINode
from pilothouse.client.client import Client
from pilothouse.kubelet.csi.client import DriverInfo
from pilothouse.kubelet.csi.node_info import ANNOTATION, NodeInfo, with_driver
from pilothouse.kubelet.plugins.unix_client import PluginError
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.loop import run


def tell(story: Callable[[Client, NodeInfo], Coroutine[Any, Any, None]]) -> None:
    async def main(clock: Any, chance: Any) -> None:
        async with Cluster(clock, chance) as cluster:
            await cluster.client().create(Node, {"metadata": {"name": "n1", "labels": {"old": "a"}}})
            await story(cluster.client(), NodeInfo(cluster.client(), "n1"))

    run(main)


async def drivers(client: Client) -> list[Any]:
    return [one.raw for one in (await client.get(CSINode, "n1")).spec.drivers]


def test_a_node_has_its_object_from_the_start() -> None:
    async def story(client: Client, info: NodeInfo) -> None:
        for _ in range(2):
            await info.ensure()
        found = await client.get(CSINode, "n1")
        node = await client.get(Node, "n1")
        assert found.spec.drivers == ()
        assert [(one.kind, one.uid) for one in found.metadata.ownerReferences] == [("Node", node.metadata.uid)]

    tell(story)


def test_drivers_come_and_go() -> None:
    async def story(client: Client, info: NodeInfo) -> None:
        await info.install("a", DriverInfo("id-a", 3, {"zone": "x", "old": "a"}))
        await info.install("b", DriverInfo("id-b"))
        await info.install("b", DriverInfo("id-b"))
        first = {"name": "a", "nodeID": "id-a", "topologyKeys": ["old", "zone"], "allocatable": {"count": 3}}
        assert await drivers(client) == [first, {"name": "b", "nodeID": "id-b", "topologyKeys": []}]
        meta = (await client.get(Node, "n1")).metadata
        assert meta.annotations[ANNOTATION] == '{"a":"id-a","b":"id-b"}'
        assert meta.labels["zone"] == "x"
        await info.uninstall("a")
        await info.uninstall("a")
        assert [one["name"] for one in await drivers(client)] == ["b"]
        meta = (await client.get(Node, "n1")).metadata
        assert meta.annotations[ANNOTATION] == '{"b":"id-b"}'
        assert meta.labels["zone"] == "x"
        await info.uninstall("b")
        assert ANNOTATION not in (await client.get(Node, "n1")).metadata.annotations

    tell(story)


@pytest.mark.parametrize("nonsense", ["[]", '"a"', "7", "null", "{"])
def test_an_annotation_that_says_nothing_is_written_anew(nonsense: str) -> None:
    async def story(client: Client, info: NodeInfo) -> None:
        await client.patch(Node, "n1", "", {"metadata": {"annotations": {ANNOTATION: nonsense}}})
        await info.uninstall("b")
        await info.install("a", DriverInfo("id-a"))
        assert (await client.get(Node, "n1")).metadata.annotations[ANNOTATION] == '{"a":"id-a"}'

    tell(story)


def test_what_cannot_be() -> None:
    async def story(client: Client, info: NodeInfo) -> None:
        with pytest.raises(PluginError, match="driverNodeID must not be empty"):
            await info.install("a", DriverInfo(""))
        with pytest.raises(PluginError, match='driver reported "old":"b" but existing label is "old":"a"'):
            await info.install("a", DriverInfo("id", 0, {"old": "b"}))
        await info.uninstall("a")

    tell(story)


def test_a_driver_in_its_place() -> None:
    a, b = {"name": "a", "nodeID": "1"}, {"name": "b", "nodeID": "2"}
    assert with_driver([a, b], "a", a) == [a, b]
    assert with_driver([a, b], "a", {**a, "nodeID": "3"}) == [b, {"name": "a", "nodeID": "3"}]
    assert with_driver([a, b], "a", None) == [b]
