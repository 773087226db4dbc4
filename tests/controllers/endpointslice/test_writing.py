from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from fakes.api import FakeApi
from fakes.informers import ToldInformers
from pilothouse.api.machinery import errors
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Node, Pod, Service
from pilothouse.api.types.discovery_v1 import EndpointSlice
from pilothouse.client.client import WatchEvent
from pilothouse.client.events import EventRecorder
from pilothouse.client.key import Key
from pilothouse.controllers.endpointslice.controller import MANAGER, EndpointSliceController, labels_of, plan_endpoints
from pilothouse.controllers.endpointslice.packing import HEADLESS, MANAGED_BY, SERVICE_NAME, TRIGGER_TIME, Changes
from pilothouse.controllers.endpointslice.writing import SliceWriter, by_owner, owner_of
from pilothouse.reconcile.controller import Again, Tools
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock, parse_time
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.loop import run

WEB = Key("ns", "web")
LABELS = {SERVICE_NAME: "web", MANAGED_BY: MANAGER}
CHANGED_AT = "2026-01-01T10:00:00Z"


def _piece(name: str = "web-1", version: int = 5, **meta: Any) -> EndpointSlice:
    whole = {"name": name, "namespace": "ns", "uid": name, "resourceVersion": str(version), "labels": LABELS, **meta}
    return EndpointSlice({"metadata": whole, "addressType": "IPv4"})


def _manifest(**meta: Any) -> JsonObject:
    return {"metadata": {"namespace": "ns", "annotations": {}, "labels": LABELS, **meta}, "addressType": "IPv4"}


def test_whose_a_slice_is() -> None:
    assert owner_of(_piece(), MANAGER) == WEB
    assert owner_of(_piece(), "somebody") is None
    assert owner_of(_piece(labels={MANAGED_BY: MANAGER}), MANAGER) is None
    assert (by_owner(MANAGER)(_piece()), by_owner("somebody")(_piece())) == (("ns/web",), ())


def test_what_surprises() -> None:
    writer = SliceWriter(FakeApi(LoopClock(0)).client(), MANAGER, "Service")
    mine, elsewhere = _piece(), _piece(labels={**LABELS, SERVICE_NAME: "db"})
    assert writer.surprised(None, mine) == [WEB]
    writer.tracker.wrote(WEB, mine)
    assert writer.surprised(None, mine) == []
    assert writer.surprised(mine, _piece(version=6)) == [WEB]
    assert writer.surprised(mine, elsewhere) == [WEB, Key("ns", "db")]
    assert writer.surprised(mine, _piece(labels={SERVICE_NAME: "web"})) == [WEB]
    assert writer.surprised(mine, _piece(deletionTimestamp=CHANGED_AT)) == [WEB]
    assert writer.surprised(mine, None) == [WEB]
    assert writer.surprised(None, _piece(deletionTimestamp=CHANGED_AT)) == []
    writer.tracker.deleted(WEB, mine)
    assert writer.surprised(mine, None) == []
    theirs = _piece(labels={**LABELS, MANAGED_BY: "somebody"})
    assert writer.surprised(None, theirs) == writer.surprised(theirs, None) == []


def test_who_waited_for_a_slice() -> None:
    writer = SliceWriter(FakeApi(LoopClock(0)).client(), MANAGER, "Service")
    writer.tracker.wrote(WEB, _piece(version=6))
    assert writer.must_wait(WEB, "u", [_piece(version=5)])
    assert writer.awaited(_piece(version=5), _piece(version=6)) == [WEB]
    assert writer.awaited(None, _piece(labels={**LABELS, SERVICE_NAME: "db"})) == []
    assert not writer.must_wait(WEB, "u", [_piece(version=6)])
    assert writer.awaited(None, _piece(version=6)) == []
    writer.tracker.wrote(WEB, _piece(version=7))
    writer.forget(WEB)
    assert not writer.must_wait(WEB, "u", [])


Scene = Callable[[FakeApi, SliceWriter], Awaitable[None]]


def _write(scene: Scene) -> None:
    async def main(clock: LoopClock, _chance: Chance) -> None:
        api = FakeApi(clock)
        await scene(api, SliceWriter(api.client(), MANAGER, "Service"))

    run(main)


def test_slices_are_created_updated_and_deleted() -> None:
    async def scene(api: FakeApi, writer: SliceWriter) -> None:
        for name in ("old", "gone"):
            api.add("discovery.k8s.io/v1", "EndpointSlice", _manifest(name=name))
        gone = EndpointSlice(api.get("endpointslices", "ns", "gone"))
        changes = Changes([_manifest(name="new")], [_manifest(name="old", labels={"x": "y"})], [gone])
        assert await writer.carry_out(WEB, changes, parse_time(CHANGED_AT)) == ""
        found = {one["metadata"]["name"]: one["metadata"] for one in api.of("endpointslices")}
        assert found.keys() == {"new", "old"}
        assert {meta["annotations"][TRIGGER_TIME] for meta in found.values()} == {CHANGED_AT}
        shown = [EndpointSlice(one) for one in api.of("endpointslices")]
        assert not writer.tracker.is_stale(WEB, "", shown)
        assert writer.tracker.is_stale(WEB, "", [*shown, gone])

    _write(scene)


@pytest.mark.parametrize(
    ("method", "error", "said"),
    [
        ("POST", errors.Forbidden("no"), "failed to create EndpointSlice for Service ns/web: no"),
        ("PUT", errors.Conflict("changed"), "failed to update old EndpointSlice for Service ns/web: changed"),
        ("DELETE", errors.ServerTimeout("oh"), "failed to delete old EndpointSlice for Service ns/web: oh"),
        ("DELETE", errors.NotFound("gone"), ""),
        ("POST", errors.Forbidden("ending", details={"causes": [{"reason": "NamespaceTerminating"}]}), ""),
    ],
)
def test_the_first_failure_ends_it(method: str, error: errors.StatusError, said: str) -> None:
    async def scene(api: FakeApi, writer: SliceWriter) -> None:
        api.add("discovery.k8s.io/v1", "EndpointSlice", _manifest(name="old"))
        old = EndpointSlice(api.get("endpointslices", "ns", "old"))
        api.fail = lambda asked, _path: error if asked == method else None
        changes = Changes([_manifest(name="new")], [_manifest(name="old", labels={})], [old])
        assert await writer.carry_out(WEB, changes, None) == said
        assert all(TRIGGER_TIME not in one["metadata"]["annotations"] for one in api.of("endpointslices"))

    _write(scene)


def _pod(name: str) -> JsonObject:
    status = {"podIPs": [{"ip": f"10.0.0.{len(name)}"}], "conditions": [{"type": "Ready", "status": "True"}]}
    meta = {"name": name, "namespace": "ns", "uid": name, "labels": {"app": "web"}}
    return {"metadata": meta, "spec": {"nodeName": "n"}, "status": status}


def test_what_could_not_be_deleted_is_not_missed() -> None:
    async def scene(api: FakeApi, writer: SliceWriter) -> None:
        old = EndpointSlice(api.add("discovery.k8s.io/v1", "EndpointSlice", _manifest(name="old")))
        api.fail = lambda method, _path: errors.Forbidden("no") if method == "DELETE" else None
        with pytest.raises(errors.Forbidden):
            await writer.delete(WEB, old)
        assert not writer.must_wait(WEB, "u", [old])

    _write(scene)


Told = Callable[[FakeApi, ToldInformers, EndpointSliceController], Awaitable[None]]


def _tell(scene: Told, **meta: Any) -> None:
    """A controller to which its informers show a Service and a node, on a fake API."""

    async def main(clock: LoopClock, chance: Chance) -> None:
        api = FakeApi(clock)
        async with Tasks() as tasks:
            informers = ToldInformers(api.client(), clock, tasks)
            events = EventRecorder(api.client(), clock, tasks, "test")
            controller = EndpointSliceController(Tools(api.client(), informers, clock, chance, events))
            controller.watch()
            spec = {"selector": {"app": "web"}, "clusterIP": "10.1.0.1", "ports": [{"port": 80}]}
            informers.show(Service, {"metadata": {"name": "web", "namespace": "ns", "uid": "u", **meta}, "spec": spec})
            informers.show(Node, {"metadata": {"name": "n"}})
            await scene(api, informers, controller)
            await clock.sleep(1)

    run(main)


def test_slices_not_seen_yet_are_not_made_twice() -> None:
    async def scene(api: FakeApi, informers: ToldInformers, controller: EndpointSliceController) -> None:
        informers.show(Pod, _pod("a"))
        assert await controller.reconcile(WEB) is None
        informers.show(Pod, _pod("bb"))
        assert await controller.reconcile(WEB) == Again(1.0)
        (made,) = api.of("endpointslices")
        assert len(made["endpoints"]) == 1
        await controller.queue.get()
        controller.queue.done(WEB)
        assert controller.queue.idle()

        informers.show(EndpointSlice, made)
        assert controller.queue.depth == 1
        assert await controller.reconcile(WEB) is None
        (made,) = api.of("endpointslices")
        assert [one["targetRef"]["name"] for one in made["endpoints"]] == ["a", "bb"]
        assert [method for method, path in api.calls if "slices" in path] == ["POST", "PUT"]

    _tell(scene)


def test_a_service_that_goes_gets_no_new_slices() -> None:
    async def scene(api: FakeApi, _informers: ToldInformers, controller: EndpointSliceController) -> None:
        assert await controller.reconcile(WEB) is None
        assert api.of("endpointslices") == []

    _tell(scene, deletionTimestamp=CHANGED_AT)


def test_slices_of_a_family_that_the_service_has_not_go() -> None:
    async def scene(api: FakeApi, informers: ToldInformers, controller: EndpointSliceController) -> None:
        other = {**_manifest(name="web-6"), "addressType": "IPv6"}
        informers.show(EndpointSlice, api.add("discovery.k8s.io/v1", "EndpointSlice", other))
        assert await controller.reconcile(WEB) is None
        assert [made["addressType"] for made in api.of("endpointslices")] == ["IPv4"]

    _tell(scene)


def test_all_that_went_wrong_is_told_at_once() -> None:
    async def scene(api: FakeApi, informers: ToldInformers, controller: EndpointSliceController) -> None:
        ghost = _pod("a")
        informers.show(Pod, {**ghost, "spec": {"nodeName": "gone"}})
        other = {**_manifest(name="web-6"), "addressType": "IPv6"}
        informers.show(EndpointSlice, api.add("discovery.k8s.io/v1", "EndpointSlice", other))
        failing = ("POST", "DELETE")
        api.fail = lambda method, path: errors.Forbidden("no") if method in failing and "slices" in path else None
        with pytest.raises(errors.StatusError) as caught:
            await controller.reconcile(WEB)
        assert caught.value.message == (
            "Error updating Endpoint Slices for Service ns/web: "
            "[skipping Pod a for Service ns/web: Node gone Not Found, "
            "failed to create EndpointSlice for Service ns/web: no, "
            "error deleting web-6 EndpointSlice for Service ns/web: no]"
        )

    _tell(scene)


def test_a_slice_that_goes_is_replaced() -> None:
    async def scene(api: FakeApi, informers: ToldInformers, controller: EndpointSliceController) -> None:
        informers.show(Pod, _pod("a"))
        held = {"deletionTimestamp": CHANGED_AT, "finalizers": ["example.com/hold"]}
        going = _manifest(name="old", ownerReferences=[{"kind": "Service", "name": "web", "uid": "u"}], **held)
        informers.show(EndpointSlice, api.add("discovery.k8s.io/v1", "EndpointSlice", going))
        assert await controller.reconcile(WEB) is None
        assert [len(made["endpoints"]) for made in api.of("endpointslices") if made["metadata"]["name"] != "old"] == [1]

    _tell(scene)


def test_nothing_is_remembered_of_a_service_that_went() -> None:
    async def scene(api: FakeApi, informers: ToldInformers, controller: EndpointSliceController) -> None:
        service = informers.of(Service).lister.list()[0]
        assert await controller.reconcile(WEB) is None
        informers.of(Service).change(WatchEvent("DELETED", service))
        assert await controller.reconcile(WEB) is None
        informers.of(Service).change(WatchEvent("ADDED", service))
        assert await controller.reconcile(WEB) is None
        times = [made["metadata"]["annotations"].get(TRIGGER_TIME) for made in api.of("endpointslices")]
        assert times == [CHANGED_AT, CHANGED_AT]

    _tell(scene, creationTimestamp=CHANGED_AT)


def test_all_is_published_even_of_nodes_that_nobody_knows() -> None:
    spec = {"clusterIP": "10.1.0.1", "publishNotReadyAddresses": True}
    everything = Service({"metadata": {"name": "web", "namespace": "ns"}, "spec": spec})
    wanted = plan_endpoints(everything, [Pod(_pod("a"))], {"n": None}, "IPv4")
    assert ([len(group.endpoints) for group in wanted.groups.values()], wanted.problems) == ([1], [])


def test_a_service_cannot_lend_its_slices_labels_that_are_ours() -> None:
    reserved = {SERVICE_NAME: "x", MANAGED_BY: "x", HEADLESS: "x", "team": "blue"}
    service = Service({"metadata": {"name": "web", "labels": reserved}, "spec": {"clusterIP": "10.1.0.1"}})
    assert labels_of(service) == {"team": "blue", SERVICE_NAME: "web", MANAGED_BY: MANAGER}
