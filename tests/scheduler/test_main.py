"""The scheduler against a real API server in one loop."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from pilothouse.api.types.core_v1 import Event, Node, Pod
from pilothouse.client.client import Client, PatchForm
from pilothouse.client.memo import Memo
from pilothouse.client.transport import Answer, HandlerTransport, Headers
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock, LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.scheduler import main
from pilothouse.scheduler.framework import Plugin, Refusal
from pilothouse.scheduler.main import SchedulerConfig
from pilothouse.scheduler.nodes import NodeInfo
from pilothouse.scheduler.plugins.node_name import NodeName
from pilothouse.scheduler.pod_info import PodInfo
from pilothouse.testing.cluster import ADMIN, Cluster
from pilothouse.testing.loop import run

Scene = Callable[[Client, LoopClock], Awaitable[None]]


def node(name: str, cpu: str = "2", **spec: Any) -> dict[str, Any]:
    resources = {"cpu": cpu, "memory": "4Gi", "pods": "10"}
    return {"metadata": {"name": name}, "spec": spec, "status": {"capacity": resources, "allocatable": resources}}


def pod(name: str, cpu: str = "1", **spec: Any) -> dict[str, Any]:
    container = {"name": "c", "image": "example:1", "resources": {"requests": {"cpu": cpu, "memory": "1Gi"}}}
    return {"metadata": {"name": name, "namespace": "default"}, "spec": {"containers": [container], **spec}}


class Wire:
    """The way to the API server, on which requests are counted, and bindings fail as they are told to."""

    def __init__(self, inner: HandlerTransport) -> None:
        self._inner = inner
        self.stream = inner.stream
        self.sent: list[tuple[str, str]] = []
        self.failures: list[Exception] = []
        self.lost_answers = 0

    async def send(self, method: str, target: str, headers: Headers, body: bytes = b"") -> Answer:
        self.sent.append((method, target))
        if not target.endswith("/binding"):
            return await self._inner.send(method, target, headers, body)
        if self.failures:
            raise self.failures.pop(0)
        answer = await self._inner.send(method, target, headers, body)
        if self.lost_answers:
            self.lost_answers -= 1
            raise TimeoutError("the answer was lost")
        return answer


OnWire = Callable[[Wire], None]


def play(scene: Scene, *, config: SchedulerConfig | None = None, before: Scene | None = None,
         change: OnWire | None = None, after: OnWire | None = None) -> None:  # fmt: skip
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance) as cluster, Tasks() as tasks:
            if before is not None:
                await before(cluster.client(), clock)
            wire = Wire(HandlerTransport(cluster.server.handle, ADMIN))
            if change is not None:
                change(wire)
            ready = asyncio.Event()
            client = Client(wire, cluster.catalogue, clock, memo=Memo())
            work = main.run(config or SchedulerConfig(leader_elect=False), client, clock, chance, ready.set)
            tasks.spawn(work, name="scheduler")
            await ready.wait()
            await scene(cluster.client(), clock)
            if after is not None:
                after(wire)

    run(story)


async def settled(client: Client, clock: Clock, name: str) -> Pod:
    """The pod, some time later."""
    await clock.sleep(0.5)
    return await client.get(Pod, name, "default")


async def told(client: Client, name: str) -> list[tuple[str, str]]:
    found = await client.list(Event, "default")
    return [(one.reason, one.message) for one in found.items if one.involvedObject.name == name]


def test_a_pod_gets_the_node_that_has_room() -> None:
    async def scene(client: Client, clock: LoopClock) -> None:
        await client.create(Node, node("small", "1"))
        await client.create(Node, node("large", "8"))
        await client.create(Pod, pod("web", "2"))
        found = await settled(client, clock, "web")
        assert found.spec.nodeName == "large"
        assert {one.type: one.status for one in found.status.conditions}["PodScheduled"] == "True"
        assert await told(client, "web") == [("Scheduled", "Successfully assigned default/web to large")]

    play(scene)


def test_a_pod_that_fits_nowhere_says_why_and_waits() -> None:
    async def scene(client: Client, clock: LoopClock) -> None:
        await client.create(Node, node("small", "1"))
        for name in ("tainted-1", "tainted-2"):
            await client.create(Node, node(name, taints=[{"key": "a", "effect": "NoSchedule"}]))
        await client.create(Pod, pod("web", "2"))
        found = await settled(client, clock, "web")
        condition = next(one for one in found.status.conditions if one.type == "PodScheduled")
        refused = "1 Insufficient cpu, 2 node(s) had untolerated taint(s)"
        useless = "preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
        message = f"0/3 nodes are available: {refused}. {useless}"
        assert (condition.status, condition.reason) == ("False", "Unschedulable")
        assert condition.message == message
        assert await told(client, "web") == [("FailedScheduling", message)]
        await client.create(Node, node("large", "8"))
        assert (await settled(client, clock, "web")).spec.nodeName == "large"

    play(scene)


def test_without_nodes_a_pod_waits() -> None:
    async def scene(client: Client, clock: LoopClock) -> None:
        await client.create(Pod, pod("web"))
        await settled(client, clock, "web")
        assert await told(client, "web") == [("FailedScheduling", "no nodes available to schedule pods")]
        await client.create(Node, node("n"))
        assert (await settled(client, clock, "web")).spec.nodeName == "n"

    play(scene)


def test_what_others_schedule_is_left_alone() -> None:
    async def scene(client: Client, clock: LoopClock) -> None:
        await client.create(Node, node("n"))
        await client.create(Pod, pod("theirs", schedulerName="other"))
        await client.create(Pod, pod("gated", schedulingGates=[{"name": "example.org/wait"}]))
        assert (await settled(client, clock, "theirs")).spec.nodeName == ""
        assert (await settled(client, clock, "gated")).spec.nodeName == ""
        await client.patch(Pod, "gated", "default", {"spec": {"schedulingGates": None}})
        assert (await settled(client, clock, "gated")).spec.nodeName == "n"

    play(scene)


def test_room_is_counted_and_comes_back() -> None:
    async def scene(client: Client, clock: LoopClock) -> None:
        await client.create(Node, node("n", "2"))
        for name in ("a", "b", "c"):
            await client.create(Pod, pod(name))
        await clock.sleep(1)
        assert [(await client.get(Pod, name, "default")).spec.nodeName for name in "abc"] == ["n", "n", ""]
        await client.delete(Pod, "a", "default", grace_period=0)
        assert (await settled(client, clock, "c")).spec.nodeName == "n"

    play(scene)


def test_the_more_important_pod_goes_first() -> None:
    async def scene(client: Client, clock: LoopClock) -> None:
        await client.create(Pod, pod("low", priority=1))
        await client.create(Pod, pod("high", priority=9))
        await clock.sleep(20)
        await client.create(Node, node("n", "1"))
        await clock.sleep(1)
        assert (await client.get(Pod, "high", "default")).spec.nodeName == "n"
        assert (await client.get(Pod, "low", "default")).spec.nodeName == ""

    play(scene)


def test_it_waits_for_its_lease() -> None:
    async def scene(client: Client, clock: LoopClock) -> None:
        await client.create(Node, node("n"))
        await client.create(Pod, pod("web"))
        assert (await settled(client, clock, "web")).spec.nodeName == "n"

    play(scene, config=SchedulerConfig())


@pytest.mark.parametrize("failure", [TimeoutError("too late"), ConnectionResetError("gone")])
def test_a_binding_that_fails_is_tried_again(failure: Exception) -> None:
    async def scene(client: Client, clock: LoopClock) -> None:
        await client.create(Node, node("n", "1"))
        await client.create(Pod, pod("web"))
        await clock.sleep(0.5)
        found = await client.get(Pod, "web", "default")
        said = next(one for one in found.status.conditions if one.type == "PodScheduled")
        message = f'running Bind plugin "DefaultBinder": {failure}'
        assert (found.spec.nodeName, said.reason, said.message) == ("", "SchedulerError", message)
        await clock.sleep(2)
        assert (await client.get(Pod, "web", "default")).spec.nodeName == "n"
        assert await told(client, "web") == [
            ("FailedScheduling", message), ("Scheduled", "Successfully assigned default/web to n"),
        ]  # fmt: skip

    play(scene, change=lambda wire: wire.failures.append(failure))


def test_while_a_binding_fails_its_place_is_free() -> None:
    async def scene(client: Client, clock: LoopClock) -> None:
        await client.create(Node, node("n", "1"))
        await client.create(Pod, pod("first"))
        await clock.sleep(0.2)
        await client.create(Pod, pod("second"))
        assert (await settled(client, clock, "second")).spec.nodeName == "n"
        await clock.sleep(5)
        assert (await client.get(Pod, "first", "default")).spec.nodeName == ""

    play(scene, change=lambda wire: wire.failures.append(TimeoutError("too late")))


def test_a_binding_whose_answer_is_lost_has_happened() -> None:
    async def scene(client: Client, clock: LoopClock) -> None:
        await client.create(Node, node("n", "1"))
        await client.create(Pod, pod("web"))
        await clock.sleep(5)
        found = await client.get(Pod, "web", "default")
        assert found.spec.nodeName == "n"
        assert {one.type: one.status for one in found.status.conditions}["PodScheduled"] == "True"
        await client.create(Pod, pod("other"))
        assert (await settled(client, clock, "other")).spec.nodeName == ""

    def once(wire: Wire) -> None:
        assert sum(target.endswith("/web/binding") for _, target in wire.sent) == 1

    play(scene, change=lambda wire: setattr(wire, "lost_answers", 1), after=once)


def test_a_pod_that_another_has_bound_is_left_alone() -> None:
    async def scene(client: Client, clock: LoopClock) -> None:
        for name in ("n", "m"):
            await client.create(Node, node(name, "1"))
        await client.create(Pod, pod("web", "5"))
        await clock.sleep(0.5)
        target = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "web"}, "target": {"name": "m"}}
        await client.create(Pod, target, "default", name="web", subresource="binding")
        await client.create(Node, node("large", "8"))
        assert (await settled(client, clock, "web")).spec.nodeName == "m"
        assert [reason for reason, _ in await told(client, "web")] == ["FailedScheduling"]

    play(scene)


def test_a_new_scheduler_goes_on_where_the_old_one_ended() -> None:
    async def before(client: Client, clock: LoopClock) -> None:
        await client.create(Node, node("n", "2"))
        for name in ("runs", "waits", "wants-more"):
            await client.create(Pod, pod(name, "5" if name == "wants-more" else "1"))
        target = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "runs"}, "target": {"name": "n"}}
        await client.create(Pod, target, "default", name="runs", subresource="binding")

    async def scene(client: Client, clock: LoopClock) -> None:
        assert (await settled(client, clock, "waits")).spec.nodeName == "n"
        await client.create(Pod, pod("one-more"))
        assert (await settled(client, clock, "one-more")).spec.nodeName == ""
        assert (await settled(client, clock, "wants-more")).spec.nodeName == ""

    play(scene, before=before)


def test_a_resize_under_way_counts() -> None:
    async def scene(client: Client, clock: LoopClock) -> None:
        await client.create(Node, node("n", "2"))
        await client.create(Pod, pod("a", "500m"))
        await clock.sleep(0.5)
        for cpu, place in (("1500m", ""), ("500m", "n")):
            held = {"name": "c", "image": "i", "imageID": "", "ready": True, "restartCount": 0,
                    "resources": {"requests": {"cpu": cpu}}}  # fmt: skip
            status = {"status": {"containerStatuses": [held]}}
            form = PatchForm.STRATEGIC
            await client.patch(Pod, "a", "default", status, subresource="status", form=form)
            if not place:
                await client.create(Pod, pod("p", "1"))
            assert (await settled(client, clock, "p")).spec.nodeName == place

    play(scene)


def test_a_pod_that_changes_while_it_waits_is_tried_as_it_is() -> None:
    async def scene(client: Client, clock: LoopClock) -> None:
        await client.create(Node, node("n", taints=[{"key": "a", "effect": "NoSchedule"}]))
        await client.create(Pod, pod("web"))
        assert (await settled(client, clock, "web")).spec.nodeName == ""
        added = [
            *(await client.get(Pod, "web", "default")).literal()["spec"].get("tolerations", []),
            {"key": "a", "operator": "Exists"},
        ]
        await client.patch(Pod, "web", "default", {"spec": {"tolerations": added}})
        await clock.sleep(2)
        assert (await client.get(Pod, "web", "default")).spec.nodeName == "n"

    play(scene)


def test_a_pod_costs_two_requests() -> None:
    async def scene(client: Client, clock: LoopClock) -> None:
        await client.create(Node, node("n", "64"))
        for number in range(4):
            await client.create(Pod, pod(f"p{number}", "10m"))
        await clock.sleep(1)

    def counted(wire: Wire) -> None:
        assert sum(target.endswith("/binding") for _, target in wire.sent) == 4
        assert sum(target.endswith("/events") for _, target in wire.sent) == 4
        assert {method for method, _ in wire.sent if method != "GET"} == {"POST"}
        assert sum(method == "GET" for method, _ in wire.sent) <= 3

    play(scene, after=counted)


def test_a_plugin_that_fails_on_one_pod_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = NodeName.refuse

    def fail(plugin: NodeName, one: PodInfo, at: NodeInfo) -> Refusal | None:
        if one.key.name == "odd" and clock_is_young():
            raise ValueError("not with me")
        return honest(plugin, one, at)

    times: list[LoopClock] = []

    def clock_is_young() -> bool:
        return times[0].monotonic() < 3

    async def scene(client: Client, clock: LoopClock) -> None:
        times.append(clock)
        await client.create(Node, node("n"))
        for name in ("odd", "even"):
            await client.create(Pod, pod(name))
        assert (await settled(client, clock, "even")).spec.nodeName == "n"
        found = await client.get(Pod, "odd", "default")
        said = next(one for one in found.status.conditions if one.type == "PodScheduled")
        assert (said.status, said.reason, said.message) == ("False", "SchedulerError", "not with me")
        await clock.sleep(10)
        assert (await client.get(Pod, "odd", "default")).spec.nodeName == "n"

    monkeypatch.setattr(NodeName, "sort", lambda *_: None)
    monkeypatch.setattr(NodeName, "passes", Plugin.passes)
    monkeypatch.setattr(NodeName, "refuse", fail)
    play(scene)
