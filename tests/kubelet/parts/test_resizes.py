"""A pod is resized through the API, by a whole kubelet on a fake runtime."""

from collections.abc import Callable
from pathlib import Path

import pytest

from kubelet.resizing import resources
from kubelet.test_main import config
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Event, Pod
from pilothouse.client.client import Client, PatchForm
from pilothouse.kubelet import main
from pilothouse.kubelet.cri.interface import Image
from pilothouse.linux.cgroups import Cgroups
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock, LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.fake_cri import FakeCri
from pilothouse.testing.loop import run

SMALL, LARGE = resources("20m", "35Mi"), resources("25m", "40Mi")


@pytest.fixture(autouse=True)
def no_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own control groups are nothing to this kubelet."""
    monkeypatch.setattr(Cgroups, "detect", lambda: Cgroups({}, None))


async def until(client: Client, clock: Clock, what: Callable[[Pod], bool]) -> Pod:
    async with clock.timeout(60):
        while not what(pod := await client.get(Pod, "web", "default")):
            await clock.sleep(0.2)
    return pod


def settled(pod: Pod) -> bool:
    told = {one.type for one in pod.status.conditions}
    newest = pod.status.observedGeneration == pod.metadata.generation
    return newest and not told & {"PodResizePending", "PodResizeInProgress"}


def asked(pod: Pod) -> JsonObject:
    return dict(pod.spec.containers[0].resources.raw)


def has(pod: Pod) -> JsonObject:
    return dict(pod.status.containerStatuses[0].resources.raw)


def test_through_the_subresource(tmp_path: Path) -> None:
    """As "resize pod via the replace endpoint" has it, with a patch and with what cannot be granted besides."""

    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance) as cluster, Tasks() as tasks:
            client = cluster.client()
            cri = FakeCri(clock, present={"app:1": Image("sha256:app", ("app:1",), (), 7)})
            tasks.spawn(main.run(config(tmp_path, clock.now()), client, cri, clock, chance), name="kubelet")
            await client.create(Pod, {
                "metadata": {"name": "web", "namespace": "default"},
                "spec": {
                    "nodeName": "n1", "hostNetwork": True, "automountServiceAccountToken": False,
                    "containers": [{"name": "app", "image": "app:1", "resources": SMALL}],
                },
            })  # fmt: skip
            pod = await until(client, clock, lambda pod: pod.status.phase == "Running")
            assert (has(pod), pod.metadata.generation) == (SMALL, 1)

            raw = pod.literal()
            raw["spec"]["containers"][0]["resources"] = LARGE
            pod = await client.update(Pod, raw, subresource="resize")
            assert (asked(pod), pod.metadata.generation) == (LARGE, 2)
            pod = await until(client, clock, lambda pod: settled(pod) and has(pod) == LARGE)
            assert dict(pod.status.containerStatuses[0].allocatedResources) == LARGE["requests"]
            assert pod.status.containerStatuses[0].restartCount == 0
            assert pod.status.qosClass == "Burstable"

            huge = {"spec": {"containers": [{"name": "app", "resources": {"requests": {"cpu": "1000"}}}]}}
            await client.patch(Pod, "web", "default", huge, subresource="resize", form=PatchForm.STRATEGIC)
            pod = await until(client, clock, lambda pod: not settled(pod) and pod.metadata.generation == 3)
            pod = await until(
                client, clock, lambda pod: any(one.type == "PodResizePending" for one in pod.status.conditions)
            )
            (told,) = [one for one in pod.status.conditions if one.type == "PodResizePending"]
            assert (told.status, told.reason, told.observedGeneration) == ("True", "Infeasible", 3)
            assert told.message.startswith("Node didn't have enough capacity: cpu, requested: 1000000, capacity: ")
            assert has(pod) == LARGE

            back = {"spec": {"containers": [{"name": "app", "resources": SMALL}]}}
            await client.patch(Pod, "web", "default", back, subresource="resize", form=PatchForm.STRATEGIC)
            pod = await until(client, clock, lambda pod: settled(pod) and has(pod) == SMALL)
            assert [one.type for one in pod.status.conditions if "Resize" in one.type] == []
            events = [one.reason for one in (await client.list(Event, "default")).items if "Resize" in one.reason]
            assert sorted(events) == [
                "ResizeCompleted", "ResizeCompleted", "ResizeInfeasible", "ResizeStarted", "ResizeStarted",
            ]  # fmt: skip

    run(story)
