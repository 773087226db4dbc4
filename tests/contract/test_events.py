"""sig-instrumentation: Events, of the core group and of their own."""

import pytest

from contract.api import STRATEGIC, Api, Json, Objects
from contract.conformance import Checks, conformance

SET = "testevent-set=true"
CONSTANT = "testevent-constant=true"
TIME, BEFORE = "2017-09-19T13:49:16.000000Z", "2017-09-19T13:49:11.000000Z"
SECONDS = 60


@pytest.fixture
def core(api: Api, namespace: str) -> Objects:
    """Events of the core group."""
    return api.objects("v1", "Event", namespace)


@pytest.fixture
def events(api: Api, namespace: str) -> Objects:
    """Events of events.k8s.io."""
    return api.objects("events.k8s.io/v1", "Event", namespace)


def _core_event(namespace: str, name: str, label: str) -> Json:
    key, _, value = label.partition("=")
    return {
        "metadata": {"name": name, "labels": {key: value}}, "message": f"This is {name}", "reason": "Test",
        "type": "Normal", "count": 1, "involvedObject": {"namespace": namespace},
    }  # fmt: skip


def _event(namespace: str, name: str, label: str) -> Json:
    key, _, value = label.partition("=")
    return {
        "metadata": {"name": name, "labels": {key: value}}, "regarding": {"namespace": namespace}, "eventTime": TIME,
        "note": f"This is {name}", "action": "Do", "reason": "Test", "type": "Normal",
        "reportingController": "test-controller", "reportingInstance": "test-node",
    }  # fmt: skip


def _without_server_fields(item: Json) -> Json:
    item = {**item, "metadata": dict(item["metadata"])}
    for name in ("resourceVersion", "managedFields"):
        item["metadata"].pop(name, None)
    return item


def _is_listed(objects: Objects, namespace: str, name: str) -> bool:
    found = [(item["metadata"]["namespace"], item["metadata"]["name"]) for item in objects.items(label=CONSTANT)]
    return (namespace, name) in found


@conformance("Events should manage the lifecycle of an event")
def test_a_core_event(core: Objects, check: Checks, namespace: str) -> None:
    core.create(_core_event(namespace, "event-test", CONSTANT))
    check("listed-everywhere", _is_listed(core.everywhere(), namespace, "event-test"))
    core.patch("event-test", {"message": "patched"}, STRATEGIC)
    found = core.get("event-test")
    check("patched", found["message"], "patched")
    found = _without_server_fields(found) | {"series": {"count": 100, "lastObservedTime": TIME}}
    core.update(found)
    check("updated", _without_server_fields(core.get("event-test")), found)
    core.delete("event-test")
    check("gone", not _is_listed(core.everywhere(), namespace, "event-test"))


@conformance("Events should delete a collection of events")
def test_a_collection_of_core_events(core: Objects, check: Checks, namespace: str) -> None:
    for number in range(3):
        core.create(_core_event(namespace, f"test-event-{number}", SET))
    check("listed", len(core.items(label=SET)), 3)
    core.delete_all(label=SET)
    check("gone", core.until(lambda items: not items, SECONDS, label=SET), {})


@conformance("Events API should ensure that an event can be fetched, patched, deleted, and listed")
def test_an_event(core: Objects, events: Objects, check: Checks, namespace: str) -> None:
    events.create(_event(namespace, "event-test", CONSTANT))
    check("listed-everywhere", _is_listed(events.everywhere(), namespace, "event-test"))
    check("listed", _is_listed(events, namespace, "event-test"))
    check("by-source", core.names(field="source=test-controller"), ["event-test"])
    check("by-controller", events.names(field="reportingController=test-controller"), ["event-test"])
    before = events.get("event-test")
    series = {"count": 2, "lastObservedTime": BEFORE}
    events.patch("event-test", {"series": series}, STRATEGIC)
    wanted = _without_server_fields(before) | {"series": series}
    check("patched", _without_server_fields(events.get("event-test")), wanted)
    wanted["series"] = {"count": 100, "lastObservedTime": TIME}
    events.update(wanted)
    check("updated", _without_server_fields(events.get("event-test")), wanted)
    events.delete("event-test")
    check("gone-everywhere", not _is_listed(events.everywhere(), namespace, "event-test"))
    check("gone", not _is_listed(events, namespace, "event-test"))


@conformance("Events API should delete a collection of events")
def test_a_collection_of_events(events: Objects, check: Checks, namespace: str) -> None:
    for number in range(3):
        events.create(_event(namespace, f"test-event-{number}", SET))
    check("listed", len(events.items(label=SET)), 3)
    events.delete_all(label=SET)
    check("gone", len(events.items(label=SET)), 0)
