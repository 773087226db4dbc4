"""What the node knows of its own object."""

from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Node
from pilothouse.client.client import WatchEvent
from pilothouse.client.informer import Informer
from pilothouse.kubelet.own_node import WatchedNode
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.loop import run

PRESUMED: JsonObject = {"metadata": {"name": "n1"}, "status": {"allocatable": {"cpu": "1"}}}


def test_what_nobody_has_told_is_presumed_and_the_newest_is_asked_for() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance) as cluster:
            client, informer = cluster.client(), Informer[Node]()
            node = WatchedNode("n1", informer.lister, client, lambda: PRESUMED)
            assert node.known().status.allocatable == {"cpu": "1"}
            bare = await client.create(Node, {"metadata": {"name": "n1", "labels": {"zone": "a"}}})
            informer.change(WatchEvent("ADDED", bare))
            assert (node.known().metadata.labels["zone"], node.known().status.allocatable) == ("a", {"cpu": "1"})
            full = {"status": {"allocatable": {"cpu": "3"}}}
            informer.change(WatchEvent("MODIFIED", await client.patch(Node, "n1", "", full, subresource="status")))
            await client.patch(Node, "n1", "", {"metadata": {"labels": {"zone": "b"}}})
            assert (node.known().metadata.labels["zone"], node.known().status.allocatable) == ("a", {"cpu": "3"})
            assert (await node.newest()).metadata.labels["zone"] == "b"

    run(story)
