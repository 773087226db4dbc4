from typing import Any

from fakes.api import FakeApi
from pilothouse.api.machinery import errors
from pilothouse.api.types.core_v1 import Node, Pod
from pilothouse.client.events import EventRecorder
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.loop import run

POD = Pod({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "ns", "uid": "u1",
                                                          "resourceVersion": "7"}})  # fmt: skip


def _tell(count: int, message: str = "message {}", pause: float = 0.0, subjects: int = 1) -> list[dict[str, Any]]:
    async def main(clock: LoopClock, chance: Chance) -> list[dict[str, Any]]:
        api = FakeApi(clock)
        async with Tasks() as tasks:
            recorder = EventRecorder(api.client(), clock, tasks, component="kubelet", host="node-1")
            for number in range(count):
                recorder.event(POD, "Normal", "Started", message.format(number))
                await clock.sleep(pause)
            await clock.sleep(100)
        return api.of("events")

    return run(main)


def test_an_event_has_upstreams_shape() -> None:
    (event,) = _tell(1, "Started container web")
    assert event["metadata"]["namespace"] == "ns"
    name, _, stamp = event["metadata"]["name"].rpartition(".")
    assert name == "web"
    assert int(stamp, 16) == 1_767_225_600_000_000_000
    assert {key: value for key, value in event.items() if key != "metadata"} == {
        "apiVersion": "v1", "kind": "Event",
        "involvedObject": {"kind": "Pod", "namespace": "ns", "name": "web", "uid": "u1", "apiVersion": "v1",
                           "resourceVersion": "7"},
        "reason": "Started", "message": "Started container web", "type": "Normal", "count": 1, "eventTime": None,
        "source": {"component": "kubelet", "host": "node-1"},
        "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T00:00:00Z",
        "reportingComponent": "kubelet", "reportingInstance": "node-1",
    }  # fmt: skip


def test_the_same_again_counts() -> None:
    (event,) = _tell(5, "the same", pause=10)
    assert (event["count"], event["firstTimestamp"], event["lastTimestamp"]) == (
        5, "2026-01-01T00:00:00Z", "2026-01-01T00:00:40Z",
    )  # fmt: skip


def test_from_the_tenth_on_similar_events_are_combined() -> None:
    events = _tell(15)
    assert len(events) == 10
    assert [event["message"] for event in events[:9]] == [f"message {number}" for number in range(9)]
    assert events[9]["message"] == "(combined from similar events): message 14"
    assert events[9]["count"] == 6


def test_similar_events_long_apart_are_not_combined() -> None:
    assert len(_tell(15, pause=700)) == 15


def test_one_object_hears_25_then_one_in_five_minutes() -> None:
    (event,) = _tell(100, "the same")
    assert event["count"] == 25
    (event,) = _tell(40, "the same", pause=101)
    assert event["count"] == 25 + 13


def test_what_stands_in_no_namespace_is_told_in_default() -> None:
    async def main(clock: LoopClock, chance: Chance) -> dict[str, Any]:
        api = FakeApi(clock)
        async with Tasks() as tasks:
            recorder = EventRecorder(api.client(), clock, tasks, component="kubelet")
            about = Node({"metadata": {"name": "n", "uid": "u"}})
            recorder.event(about, "Warning", "Rebooted", "It was rebooted", {"a": "b"})
            await clock.sleep(1)
        return api.of("events")[0]

    event = run(main)
    assert event["metadata"]["namespace"] == "default"
    assert event["metadata"]["annotations"] == {"a": "b"}
    assert event["involvedObject"] == {"kind": "Node", "name": "n", "uid": "u", "apiVersion": "v1"}
    assert event["source"] == {"component": "kubelet"}


def test_a_server_that_is_away_is_asked_again_and_one_that_refuses_is_not() -> None:
    async def main(clock: LoopClock, chance: Chance) -> list[str]:
        api = FakeApi(clock)
        async with Tasks() as tasks:
            recorder = EventRecorder(api.client(), clock, tasks, component="kubelet")
            api.fail = lambda *_: errors.ServiceUnavailable("away")
            recorder.event(POD, "Normal", "First", "a")
            await clock.sleep(5)
            api.fail = lambda *_: errors.forbidden("events", "", "", "no") if len(api.calls) == 6 else None
            await clock.sleep(20)
            recorder.event(POD, "Normal", "Second", "b")
            api.fail = lambda *_: errors.forbidden("events", "", "", "no")
            await clock.sleep(20)
            api.fail = lambda *_: None
            await clock.sleep(20)
        return [event["reason"] for event in api.of("events")]

    assert run(main) == ["First"]


def test_an_event_deleted_meanwhile_is_made_anew() -> None:
    async def main(clock: LoopClock, chance: Chance) -> list[int]:
        api = FakeApi(clock)
        async with Tasks() as tasks:
            recorder = EventRecorder(api.client(), clock, tasks, component="kubelet")
            recorder.event(POD, "Normal", "Same", "a")
            await clock.sleep(1)
            api.remove("events", "ns", api.of("events")[0]["metadata"]["name"])
            recorder.event(POD, "Normal", "Same", "a")
            await clock.sleep(1)
        return [event["count"] for event in api.of("events")]

    assert run(main) == [1]


def test_two_components_at_the_same_instant_do_not_collide() -> None:
    async def main(clock: LoopClock, chance: Chance) -> list[str]:
        api = FakeApi(clock)
        async with Tasks() as tasks:
            for component in ("kubelet", "scheduler"):
                EventRecorder(api.client(), clock, tasks, component=component).event(POD, "Normal", "Same", "a")
            await clock.sleep(60)
        return [event["reportingComponent"] for event in api.of("events")]

    assert run(main) == ["kubelet", "scheduler"]
