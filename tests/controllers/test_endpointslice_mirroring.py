from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from fakes.api import FakeApi
from fakes.informers import ToldInformers
from pilothouse.api.machinery import errors
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Endpoints, Event, Service
from pilothouse.api.types.discovery_v1 import EndpointSlice
from pilothouse.client.client import Client, WatchEvent
from pilothouse.client.events import EventRecorder
from pilothouse.client.key import Key
from pilothouse.controllers.endpointslice_mirroring import EndpointSliceMirroringController, is_mirrored, plan_mirror
from pilothouse.controllers.main import ControllersConfig
from pilothouse.reconcile.controller import Again, Tools
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.loop import run

HTTP = {"name": "http", "port": 80, "protocol": "TCP"}


def _subset(*ready: str, others: tuple[str, ...] = (), ports: tuple[JsonObject, ...] = (HTTP,)) -> JsonObject:
    return {
        "addresses": [{"ip": ip} for ip in ready],
        "notReadyAddresses": [{"ip": ip} for ip in others],
        "ports": [*ports],
    }


def _endpoints(*subsets: JsonObject, **meta: Any) -> Endpoints:
    return Endpoints({"metadata": {"name": "web", "namespace": "default", **meta}, "subsets": [*subsets]})


@pytest.mark.parametrize(
    ("subsets", "found"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([_subset("10.0.0.1", others=("10.0.0.2",))],
                     [("IPv4", [80], [("10.0.0.1", True), ("10.0.0.2", False)])], id="ready and not"),
        pytest.param([_subset("10.0.0.1", "FD00:0::1")],
                     [("IPv4", [80], [("10.0.0.1", True)]), ("IPv6", [80], [("fd00::1", True)])], id="two families"),
        pytest.param([_subset("::ffff:10.0.0.1")], [("IPv4", [80], [("10.0.0.1", True)])], id="mapped"),
        pytest.param([_subset("10.0.0.1", ports=()), _subset("10.0.0.1", ports=({"port": 81},))],
                     [("IPv4", [], [("10.0.0.1", True)]), ("IPv4", [81], [("10.0.0.1", True)])], id="two subsets"),
        pytest.param([_subset("10.0.0.1"), _subset("10.0.0.2")],
                     [("IPv4", [80], [("10.0.0.1", True), ("10.0.0.2", True)])], id="two subsets of the same ports"),
    ],
)  # fmt: skip
def test_what_is_mirrored(subsets: list[JsonObject], found: list[Any]) -> None:
    mirror = plan_mirror(_endpoints(*subsets))
    assert [
        (
            family,
            [port["port"] for port in group.ports],
            [(one["addresses"][0], one["conditions"]["ready"]) for one in group.endpoints.values()],
        )
        for family, groups in mirror.groups.items()
        for group in groups.values()
    ] == found
    assert (mirror.invalid, mirror.skipped) == (0, 0)


def test_an_address_keeps_what_it_says() -> None:
    target = {"kind": "Pod", "namespace": "default", "name": "a", "uid": "u"}
    subset = {"addresses": [{"ip": "10.0.0.1", "hostname": "a", "nodeName": "n", "targetRef": target}]}
    (group,) = plan_mirror(_endpoints(subset)).groups["IPv4"].values()
    assert [*group.endpoints.values()] == [
        {"addresses": ["10.0.0.1"], "conditions": {"ready": True}, "hostname": "a", "nodeName": "n",
         "targetRef": target},
    ]  # fmt: skip


def test_what_cannot_be_mirrored_is_counted() -> None:
    mirror = plan_mirror(_endpoints(_subset("nowhere", "10.0.0.1", "10.0.0.2", others=("10.0.0.3",))), most=2)
    assert (mirror.invalid, mirror.skipped) == (1, 2)


@pytest.mark.parametrize(
    ("meta", "mirrored"),
    [
        ({}, True),
        ({"labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}}, False),
        ({"labels": {"endpointslice.kubernetes.io/skip-mirror": "false"}}, True),
        ({"annotations": {"control-plane.alpha.kubernetes.io/leader": "{}"}}, False),
    ],
)
def test_who_wants_a_mirror(meta: JsonObject, mirrored: bool) -> None:
    assert is_mirrored(_endpoints(**meta)) == mirrored


Story = Callable[[Client, LoopClock], Awaitable[None]]


def _play(story: Story) -> None:
    """A story in a guarded cluster in which nobody but we writes slices."""
    config = ControllersConfig(controllers=("endpointslice-mirroring-controller",))

    async def main(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance, manager=config) as cluster:
            await clock.sleep(1)
            client = cluster.client()
            spec = {"ports": [{"name": "http", "port": 80}]}
            await client.create(Service, {"metadata": {"name": "web"}, "spec": spec}, "default")
            await story(client, clock)

    run(main)


def _manifest(*subsets: JsonObject, **annotations: str) -> JsonObject:
    meta = {"name": "web", "namespace": "default", "labels": {"team": "blue"}, "annotations": annotations}
    return {"metadata": meta, "subsets": [*subsets]}


async def _slices(client: Client) -> list[EndpointSlice]:
    found = await client.list(EndpointSlice, "default", labels="kubernetes.io/service-name=web")
    return [*found.items]


async def _addresses(client: Client) -> list[str]:
    return sorted(one.addresses[0] for piece in await _slices(client) for one in piece.endpoints)


def test_a_mirror_follows_its_endpoints() -> None:
    async def story(client: Client, clock: LoopClock) -> None:
        last = "kubectl.kubernetes.io/last-applied-configuration"
        await client.create(Endpoints, _manifest(_subset("10.9.0.1"), **{"mine": "yes", last: "{}"}))
        await clock.sleep(1)
        (piece,) = await _slices(client)
        assert piece.metadata.labels == {
            "team": "blue",
            "kubernetes.io/service-name": "web",
            "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
        }
        assert dict(piece.metadata.annotations) == {"mine": "yes"}
        assert piece.metadata.ownerReferences[0].kind == "Endpoints"
        assert [port.raw for port in piece.ports] == [HTTP]

        await client.patch(Endpoints, "web", "default", {"subsets": [_subset("10.9.0.1", "10.9.0.2")]})
        await clock.sleep(1)
        assert await _addresses(client) == ["10.9.0.1", "10.9.0.2"]
        await client.patch(Endpoints, "web", "default", {"metadata": {"annotations": {"mine": "no"}}})
        await clock.sleep(1)
        (same,) = await _slices(client)
        assert (same.metadata.name, same.metadata.annotations["mine"]) == (piece.metadata.name, "no")
        await client.patch(EndpointSlice, same.metadata.name, "default", {"endpoints": []})
        await clock.sleep(1)
        assert await _addresses(client) == ["10.9.0.1", "10.9.0.2"]
        await client.patch(Endpoints, "web", "default", {"subsets": None})
        await clock.sleep(1)
        assert await _slices(client) == []

    _play(story)


@pytest.mark.parametrize("how", ["endpoints gone", "service gone", "selector", "skip"])
def test_a_mirror_goes(how: str) -> None:
    async def story(client: Client, clock: LoopClock) -> None:
        await client.create(Endpoints, _manifest(_subset("10.9.0.1")))
        await clock.sleep(1)
        assert await _addresses(client) == ["10.9.0.1"]
        if how == "endpoints gone":
            await client.delete(Endpoints, "web", "default")
        elif how == "service gone":
            await client.delete(Service, "web", "default")
        elif how == "selector":
            await client.patch(Service, "web", "default", {"spec": {"selector": {"app": "web"}}})
        else:
            labels = {"endpointslice.kubernetes.io/skip-mirror": "true"}
            await client.patch(Endpoints, "web", "default", {"metadata": {"labels": labels}})
        await clock.sleep(2)
        assert await _addresses(client) == []

    _play(story)


def test_too_many_addresses_are_told_of() -> None:
    async def story(client: Client, clock: LoopClock) -> None:
        many = [f"10.9.{number // 250}.{number % 250 + 1}" for number in range(1001)]
        await client.create(Endpoints, _manifest(_subset(*many)))
        await clock.sleep(2)
        assert len(await _addresses(client)) == 1000
        (event,) = [e for e in (await client.list(Event, "default")).items if e.involvedObject.kind == "Endpoints"]
        assert (event.reason, event.source.component) == (
            "TooManyAddressesToMirror", "endpoint-slice-mirroring-controller",
        )  # fmt: skip
        assert event.message == (
            "A max of 1000 addresses can be mirrored to EndpointSlices per Endpoints subset. 1 addresses were skipped"
        )

    _play(story)


Told = Callable[[FakeApi, ToldInformers, EndpointSliceMirroringController], Awaitable[None]]
WEB = Key("default", "web")


def _tell(scene: Told, *addresses: str, **meta: Any) -> None:
    """A controller to which its informers show a Service and its Endpoints, on a fake API."""

    async def main(clock: LoopClock, chance: Chance) -> None:
        api = FakeApi(clock)
        async with Tasks() as tasks:
            informers = ToldInformers(api.client(), clock, tasks)
            events = EventRecorder(api.client(), clock, tasks, "test")
            controller = EndpointSliceMirroringController(Tools(api.client(), informers, clock, chance, events))
            controller.watch()
            informers.show(Service, {"metadata": {"name": "web", "namespace": "default", "uid": "u"}, "spec": {}})
            informers.show(Endpoints, _endpoints(_subset(*addresses), uid="e", **meta).literal())
            await scene(api, informers, controller)
            await clock.sleep(1)

    run(main)


def test_slices_not_seen_yet_are_not_made_twice() -> None:
    async def scene(api: FakeApi, informers: ToldInformers, controller: EndpointSliceMirroringController) -> None:
        assert await controller.reconcile(WEB) is None
        assert await controller.reconcile(WEB) == Again(1.0)
        await controller.queue.get()
        controller.queue.done(WEB)
        assert controller.queue.idle()
        (made,) = api.of("endpointslices")
        informers.show(EndpointSlice, made)
        assert controller.queue.depth == 1
        assert await controller.reconcile(WEB) is None
        assert api.of("endpointslices") == [made]

    _tell(scene, "10.9.0.1")


def test_nothing_is_remembered_of_what_is_mirrored_no_more() -> None:
    async def scene(api: FakeApi, informers: ToldInformers, controller: EndpointSliceMirroringController) -> None:
        endpoints = informers.of(Endpoints).lister.list()[0]
        assert await controller.reconcile(WEB) is None
        informers.of(Endpoints).change(WatchEvent("DELETED", endpoints))
        assert await controller.reconcile(WEB) is None
        informers.of(Endpoints).change(WatchEvent("ADDED", endpoints))
        assert await controller.reconcile(WEB) is None
        assert len(api.of("endpointslices")) == 2

    _tell(scene, "10.9.0.1")


def test_endpoints_that_go_get_no_new_slices() -> None:
    async def scene(api: FakeApi, informers: ToldInformers, controller: EndpointSliceMirroringController) -> None:
        assert await controller.reconcile(WEB) is None
        assert api.of("endpointslices") == []

    _tell(scene, "10.9.0.1", deletionTimestamp="2026-01-01T00:00:00Z")


def test_failures_are_raised_and_invalid_addresses_told_of() -> None:
    events: list[JsonObject] = []

    async def scene(api: FakeApi, informers: ToldInformers, controller: EndpointSliceMirroringController) -> None:
        api.fail = lambda method, path: errors.Forbidden("no") if method == "POST" and "slices" in path else None
        with pytest.raises(errors.StatusError, match="failed to create EndpointSlice for Endpoints default/web: no"):
            await controller.reconcile(WEB)
        await controller.clock.sleep(1)
        events.extend(api.of("events"))

    _tell(scene, "10.9.0.1", "nowhere")
    assert [(event["reason"], event["message"]) for event in events] == [
        ("InvalidIPAddress", "Skipped 1 invalid IP addresses when mirroring to EndpointSlices"),
    ]
