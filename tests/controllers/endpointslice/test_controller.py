from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Event, Node, Pod, Service
from pilothouse.api.types.discovery_v1 import EndpointSlice
from pilothouse.client.client import Client
from pilothouse.controllers.endpointslice import EndpointSliceSettings
from pilothouse.controllers.main import ControllersConfig
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.loop import run

Story = Callable[[Cluster, Client, LoopClock], Awaitable[None]]


def _play(story: Story, settings: EndpointSliceSettings | None = None) -> None:
    """A story in a whole cluster with a simulated node."""
    config = ControllersConfig(endpoint_slices=settings or EndpointSliceSettings())

    async def main(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance, manager=config, nodes=1) as cluster:
            await clock.sleep(1)
            await story(cluster, cluster.client(), clock)

    run(main)


def _service(name: str = "web", **spec: Any) -> JsonObject:
    spec = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}], **spec}
    return {"metadata": {"name": name, "namespace": "default", "labels": {"team": "blue"}}, "spec": spec}


def _pod(name: str, *, annotations: dict[str, str] | None = None, app: str = "web", **spec: Any) -> JsonObject:
    containers = [{"name": "c", "image": "example:1", "ports": [{"name": "http", "containerPort": 8080}]}]
    meta = {"name": name, "namespace": "default", "labels": {"app": app}, "annotations": annotations or {}}
    return {"metadata": meta, "spec": {"containers": containers, "nodeName": "node-0", **spec}}


async def _slices(client: Client, service: str = "web") -> tuple[EndpointSlice, ...]:
    return (await client.list(EndpointSlice, "default", labels=f"kubernetes.io/service-name={service}")).items


async def _names(client: Client, service: str = "web", *, condition: str = "serving") -> list[str]:
    """The pods of which the slices say that they are ready, serving, or terminating."""
    pieces = await _slices(client, service)
    return sorted(
        endpoint.targetRef.name
        for piece in pieces
        for endpoint in piece.endpoints
        if getattr(endpoint.conditions, condition)
    )


def test_a_service_has_a_slice_before_it_has_pods() -> None:
    async def story(cluster: Cluster, client: Client, clock: LoopClock) -> None:
        service = await client.create(Service, _service())
        await clock.sleep(1)
        (piece,) = await _slices(client)
        assert piece.metadata.name.startswith("web-")
        assert piece.metadata.labels == {
            "team": "blue",
            "kubernetes.io/service-name": "web",
            "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
        }
        (owner,) = piece.metadata.ownerReferences
        assert (owner.kind, owner.uid, owner.controller) == ("Service", service.metadata.uid, True)
        assert (piece.addressType, piece.endpoints, piece.ports) == ("IPv4", (), ())

        await client.create(Pod, _pod("a"))
        await clock.sleep(5)
        (filled,) = await _slices(client)
        assert filled.metadata.name == piece.metadata.name
        assert [(port.name, port.port, port.protocol) for port in filled.ports] == [("", 8080, "TCP")]
        (endpoint,) = filled.endpoints
        pod = await client.get(Pod, "a", "default")
        assert endpoint.raw == {
            "addresses": [pod.status.podIP],
            "conditions": {"ready": True, "serving": True, "terminating": False},
            "nodeName": "node-0",
            "targetRef": {"kind": "Pod", "namespace": "default", "name": "a", "uid": pod.metadata.uid},
        }

    _play(story)


def test_pods_come_get_ready_end_and_go() -> None:
    async def story(cluster: Cluster, client: Client, clock: LoopClock) -> None:
        await client.create(Service, _service())
        await client.create(Pod, _pod("a"))
        await client.create(Pod, _pod("b", annotations={"pilothouse.dev/ready-after": "10"}))
        await client.create(Pod, _pod("other", app="db"))
        await clock.sleep(5)
        assert await _names(client, condition="ready") == ["a"]
        (piece,) = await _slices(client)
        assert sorted(endpoint.targetRef.name for endpoint in piece.endpoints) == ["a", "b"]
        await clock.sleep(10)
        assert await _names(client, condition="ready") == ["a", "b"]
        await client.delete(Pod, "a", "default")
        await clock.sleep(0.5)
        assert await _names(client, condition="ready") == ["b"]
        assert await _names(client, condition="terminating") == ["a"]
        assert await _names(client) == ["a", "b"]
        await clock.sleep(5)
        assert await _names(client) == ["b"]
        await client.patch(Pod, "b", "default", {"metadata": {"labels": {"app": "db"}}})
        await clock.sleep(0.5)
        (empty,) = await _slices(client)
        assert (empty.endpoints, empty.ports) == ((), ())

    _play(story)


def test_another_selector_means_other_pods() -> None:
    async def story(cluster: Cluster, client: Client, clock: LoopClock) -> None:
        await client.create(Service, _service())
        await client.create(Pod, _pod("a"))
        await client.create(Pod, _pod("b", app="db"))
        await clock.sleep(5)
        assert await _names(client) == ["a"]
        await client.patch(Service, "web", "default", {"spec": {"selector": {"app": "db"}}})
        await clock.sleep(1)
        assert await _names(client) == ["b"]
        await client.patch(Service, "web", "default", {"metadata": {"labels": {"team": "red"}}})
        await clock.sleep(1)
        (piece,) = await _slices(client)
        assert piece.metadata.labels["team"] == "red"

    _play(story)


def test_a_headless_service_needs_no_ports() -> None:
    async def story(cluster: Cluster, client: Client, clock: LoopClock) -> None:
        await client.create(Service, _service(clusterIP="None", ports=[]))
        await client.create(Pod, _pod("a", hostname="first", subdomain="web"))
        await clock.sleep(5)
        (piece,) = await _slices(client)
        assert piece.metadata.labels["service.kubernetes.io/headless"] == ""
        assert (piece.ports, piece.endpoints[0].hostname) == ((), "first")

    _play(story)


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param({"type": "ExternalName", "externalName": "example.com", "ports": []}, id="external name"),
        pytest.param({"selector": None}, id="no selector"),
    ],
)
def test_what_others_publish_is_left_alone(spec: JsonObject) -> None:
    async def story(cluster: Cluster, client: Client, clock: LoopClock) -> None:
        await client.create(Service, _service(**spec))
        await client.create(Pod, _pod("a"))
        await clock.sleep(5)
        assert await _slices(client) == ()

    _play(story)


def test_slices_that_somebody_changed_or_deleted_are_mended() -> None:
    async def story(cluster: Cluster, client: Client, clock: LoopClock) -> None:
        await client.create(Service, _service())
        await client.create(Pod, _pod("a"))
        await clock.sleep(5)
        (piece,) = await _slices(client)
        await client.patch(EndpointSlice, piece.metadata.name, "default", {"endpoints": []})
        await clock.sleep(2)
        assert await _names(client) == ["a"]
        await client.delete(EndpointSlice, piece.metadata.name, "default")
        await clock.sleep(2)
        assert await _names(client) == ["a"]
        (piece,) = await _slices(client)
        mine = {"endpointslice.kubernetes.io/managed-by": "me"}
        await client.patch(EndpointSlice, piece.metadata.name, "default", {"metadata": {"labels": mine}})
        await clock.sleep(2)
        assert await _names(client) == ["a", "a"]

    _play(story)


def test_a_pod_is_published_when_its_node_is_known() -> None:
    async def story(cluster: Cluster, client: Client, clock: LoopClock) -> None:
        await client.create(Service, _service())
        await client.create(Pod, _pod("a"))
        ghost = _pod("ghost", nodeName="later")
        await client.create(Pod, ghost)
        await client.patch(Pod, "ghost", "default", {"status": {"podIP": "10.9.9.9", "podIPs": [{"ip": "10.9.9.9"}]}},
                           subresource="status")  # fmt: skip
        await clock.sleep(5)
        (piece,) = await _slices(client)
        assert [endpoint.targetRef.name for endpoint in piece.endpoints] == ["a"]
        told = [event for event in (await client.list(Event, "default")).items if event.involvedObject.name == "web"]
        assert {(event.reason, event.type) for event in told} == {("FailedToUpdateEndpointSlices", "Warning")}
        assert told[0].message == (
            "Error updating Endpoint Slices for Service default/web: "
            "skipping Pod ghost for Service default/web: Node later Not Found"
        )
        assert told[0].source.component == "endpoint-slice-controller"
        labels = {"topology.kubernetes.io/zone": "east"}
        await client.create(Node, {"metadata": {"name": "later", "labels": labels}})
        await clock.sleep(0.5)
        (piece,) = await _slices(client)
        assert [(endpoint.targetRef.name, endpoint.zone) for endpoint in piece.endpoints] == [
            ("a", ""), ("ghost", "east"),
        ]  # fmt: skip
        moved = {"topology.kubernetes.io/zone": "west"}
        await client.patch(Node, "later", "", {"metadata": {"labels": moved}})
        await clock.sleep(0.5)
        (piece,) = await _slices(client)
        assert [endpoint.zone for endpoint in piece.endpoints] == ["", "west"]

    _play(story)


def test_many_pods_fill_slices_and_one_change_writes_one() -> None:
    async def story(cluster: Cluster, client: Client, clock: LoopClock) -> None:
        await client.create(Service, _service())
        for number in range(110):
            await client.create(Pod, _pod(f"p{number}"))
        await clock.sleep(10)
        pieces = await _slices(client)
        assert len(pieces) == 2
        assert max(len(piece.endpoints) for piece in pieces) <= 100
        assert await _names(client) == sorted(f"p{number}" for number in range(110))
        before = {piece.metadata.name: piece.metadata.resourceVersion for piece in pieces}
        await client.delete(Pod, "p7", "default")
        await clock.sleep(5)
        after = {piece.metadata.name: piece.metadata.resourceVersion for piece in await _slices(client)}
        assert before.keys() == after.keys()
        assert sum(before[name] != after[name] for name in before) == 1

    _play(story)


def test_settings() -> None:
    async def story(cluster: Cluster, client: Client, clock: LoopClock) -> None:
        await client.create(Service, _service())
        for number in range(5):
            await client.create(Pod, _pod(f"p{number}"))
        await clock.sleep(2)
        assert await _names(client) == []
        await clock.sleep(10)
        assert sorted(len(piece.endpoints) for piece in await _slices(client)) == [1, 2, 2]

    _play(story, EndpointSliceSettings(max_endpoints=2, updates_batch_period=5.0))


def test_pods_with_other_ports_are_in_other_slices() -> None:
    async def story(cluster: Cluster, client: Client, clock: LoopClock) -> None:
        await client.create(Service, _service(ports=[{"name": "web", "port": 80, "targetPort": "http"}]))
        other = [{"name": "c", "image": "example:1", "ports": [{"name": "http", "containerPort": 9090}]}]
        await client.create(Pod, _pod("a"))
        await client.create(Pod, _pod("b", containers=other))
        await client.create(Pod, _pod("c"))
        await clock.sleep(5)
        found = {
            tuple(endpoint.targetRef.name for endpoint in piece.endpoints): [port.port for port in piece.ports]
            for piece in await _slices(client)
        }
        assert found == {("a", "c"): [8080], ("b",): [9090]}

    _play(story)


def test_a_service_is_deleted_and_made_anew() -> None:
    async def story(cluster: Cluster, client: Client, clock: LoopClock) -> None:
        await client.create(Pod, _pod("a"))
        await client.create(Service, _service())
        await clock.sleep(5)
        (old,) = await _slices(client)
        await client.delete(Service, "web", "default")
        await client.delete(Pod, "a", "default")
        await clock.sleep(0.1)
        fresh = await client.create(Service, _service())
        await client.create(Pod, _pod("b"))
        await clock.sleep(30)
        (piece,) = await _slices(client)
        assert piece.metadata.name != old.metadata.name
        assert piece.metadata.ownerReferences[0].uid == fresh.metadata.uid
        assert await _names(client) == ["b"]

    _play(story)
