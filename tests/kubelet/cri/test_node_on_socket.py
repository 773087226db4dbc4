"""A node whose runtime stands behind a real socket, and does not always answer."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import grpc
import pytest

from fakes.cri_server import CriServer
from kubelet.cri.serving import APP
from kubelet.harness import FakeNode, pod
from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.cri.client import CriClient
from pilothouse.kubelet.cri.deadlines import REQUEST
from pilothouse.kubelet.cri.interface import Container, Sandbox
from pilothouse.kubelet.housekeeping import Housekeeping
from pilothouse.runtime.clock import SystemClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.fake_cri import FakeCri

Story = Callable[[FakeNode, CriServer], Coroutine[Any, Any, None]]


def _run(root: Path, story: Story, request_timeout: float = REQUEST) -> None:
    async def main() -> None:
        clock, socket = SystemClock(), str(root / "s")
        fake = FakeCri(clock, present={"app:1": APP})
        async with (
            CriServer(fake, socket) as server,
            CriClient(socket, SystemClock(), request_timeout) as cri,
            Tasks() as tasks,
        ):
            await story(FakeNode(root, clock, tasks, cri=cri), server)

    asyncio.run(main())


def _runs(node: FakeNode, name: str) -> Callable[[], bool]:
    return lambda: name in node.pods and node.pods[name].status.phase == "Running"


def test_a_pod_comes_and_goes(tmp_path: Path) -> None:
    async def story(node: FakeNode, server: CriServer) -> None:
        node.add(pod())
        await node.until(_runs(node, "web"), 60)
        assert node.state()["imageID"] == "sha256:app"
        assert node.pods["web"].status.podIP == "10.88.0.2"
        node.delete_pod("web", 0)
        await node.until(lambda: not node.pods, 60)
        assert server.requests("RemovePodSandbox")

    _run(tmp_path, story)


def test_a_stop_that_hangs_holds_up_its_pod_alone(tmp_path: Path) -> None:
    async def story(node: FakeNode, server: CriServer) -> None:
        node.add(pod("one"))
        await node.until(_runs(node, "one"), 60)
        server.hang("StopContainer")
        node.delete_pod("one", 0)
        await node.until(lambda: bool(server.requests("StopContainer")), 60)
        node.add(pod("two"))
        await node.until(_runs(node, "two"), 60)
        assert "one" in node.pods
        server.heal("StopContainer")
        await node.until(lambda: "one" not in node.pods, 60)
        assert _runs(node, "two")()

    _run(tmp_path, story, 1.0)


def test_a_stop_that_hangs_is_told_of_and_tried_again_until_it_works(tmp_path: Path) -> None:
    async def story(node: FakeNode, server: CriServer) -> None:
        node.add(pod(terminationGracePeriodSeconds=0))
        await node.until(_runs(node, "web"), 60)
        server.hang("StopContainer")
        server.fail("StopPodSandbox", grpc.StatusCode.UNKNOWN, "busy")
        node.delete_pod("web", 0)
        await node.until(lambda: "FailedKillPod" in node.told.reasons(), 60)
        late = "rpc error: code = DeadlineExceeded desc = context deadline exceeded"
        busy = "rpc error: code = Unknown desc = busy"
        message = (
            f'error killing pod: [failed to "KillContainer" for "app" with KillContainerError: "{late}", '
            f'failed to "KillPodSandbox" for "uid-web" with KillPodSandboxError: "{busy}"]'
        )
        assert ("Warning", "FailedKillPod", message) in node.told.events
        assert "web" in node.pods
        server.heal("StopContainer")
        server.heal("StopPodSandbox")
        await node.until(lambda: not node.pods, 60)
        assert len(server.requests("StopContainer")) > 1

    _run(tmp_path, story, 0.5)


def test_what_a_failed_stop_leaves_goes_with_the_sandbox(tmp_path: Path) -> None:
    async def story(node: FakeNode, server: CriServer) -> None:
        node.add(pod())
        await node.until(_runs(node, "web"), 60)
        server.fail("StopContainer", grpc.StatusCode.UNKNOWN, "no")
        node.delete_pod("web", 0)
        await node.until(lambda: not node.pods, 60)
        assert len(server.requests("StopContainer")) == 1
        assert "FailedKillPod" in node.told.reasons()

    _run(tmp_path, story)


def test_a_runtime_that_is_gone_for_a_while_and_nonsense_end_no_container(tmp_path: Path) -> None:
    async def story(node: FakeNode, server: CriServer) -> None:
        node.add(pod("one"))
        await node.until(_runs(node, "one"), 60)
        await server.stop()
        node.add(pod("two"))
        await node.clock.sleep(0.5)
        await server.start()
        await node.until(_runs(node, "two"), 60)
        for call in ("ListContainers", "ListPodSandbox", "ContainerStatus"):
            server.garbage(call)
        server.fail("PodSandboxStatus", grpc.StatusCode.INTERNAL, "why")
        node.add(pod("three"))
        await node.clock.sleep(0.5)
        for call in ("ListContainers", "ListPodSandbox", "ContainerStatus", "PodSandboxStatus"):
            server.heal(call)
        await node.until(_runs(node, "three"), 60)
        assert [node.state(name)["restartCount"] for name in ("one", "two", "three")] == [0, 0, 0]
        assert len(server.requests("StartContainer")) == 3

    _run(tmp_path, story)


async def _listings(node: FakeNode) -> list[tuple[JsonObject, JsonObject]]:
    """Each sandbox and its container, as listings have them."""
    runs = {run.sandbox_id: run for run in await node.runtime.containers()}
    return [_listed(box, runs[box.id]) for box in await node.runtime.sandboxes() if box.id in runs]


def _listed(box: Sandbox, run: Container) -> tuple[JsonObject, JsonObject]:
    labels = {"io.kubernetes.pod.uid": box.uid}
    meta = {"name": box.name, "namespace": box.namespace, "uid": box.uid}
    return (
        {"id": box.id, "metadata": meta, "created_at": 1, "labels": labels},
        {"id": run.id, "metadata": {"name": run.name}, "created_at": 1, "labels": labels, "pod_sandbox_id": box.id,
         "image": {"image": "app:1"}, "image_ref": "sha256:app", "state": 1},
    )  # fmt: skip


@pytest.mark.parametrize("nonsense", [
    "twice", "nameless", "without ids", "nobody's",
])  # fmt: skip
def test_listings_that_make_no_sense_end_no_container(tmp_path: Path, nonsense: str) -> None:
    def twisted(box: JsonObject, run: JsonObject) -> tuple[list[JsonObject], list[JsonObject]]:
        match nonsense:
            case "twice":
                return [box, box, box], [run, run]
            case "nameless":
                return [box, {"id": box["id"]}], [run, {"id": run["id"], "pod_sandbox_id": box["id"]}]
            case "without ids":
                return [box, {**box, "id": ""}], [run, {**run, "id": ""}]
            case "nobody's":
                stray = {"id": "stray", "metadata": {"name": "x"}, "state": 0}
                return [box, stray], [run, {**stray, "pod_sandbox_id": "none"}, {**stray, "pod_sandbox_id": "stray"}]
        raise AssertionError(nonsense)

    async def story(node: FakeNode, server: CriServer) -> None:
        node.add(pod())
        await node.until(_runs(node, "web"), 60)
        (known,) = await _listings(node)
        boxes, runs = twisted(*known)
        services = node.services
        keeper = Housekeeping(node.runtime, services.volumes, services.cgroups, services.mounter, node.layout)
        server.garbage("ListPodSandbox", {"items": boxes})
        server.garbage("ListContainers", {"containers": runs})
        for _ in range(3):
            await node.pleg.look()
            await keeper.sweep(node.workers.pods)
            node.workers.poke_all()
            await node.clock.sleep(0.1)
        server.heal("ListPodSandbox")
        server.heal("ListContainers")
        node.workers.poke_all()
        await node.clock.sleep(0.3)
        assert node.state()["restartCount"] == 0
        assert node.pods["web"].status.phase == "Running"
        for call in ("StopPodSandbox", "RemovePodSandbox", "StopContainer", "RemoveContainer"):
            assert server.requests(call) == []
        assert len(server.requests("RunPodSandbox")) == len(server.requests("CreateContainer")) == 1

    _run(tmp_path, story)


def test_a_sandbox_that_is_always_said_to_be_dead_is_not_made_anew_without_end(tmp_path: Path) -> None:
    async def story(node: FakeNode, server: CriServer) -> None:
        node.add(pod("other"))
        await node.until(_runs(node, "other"), 60)
        node.add(pod())
        await node.until(lambda: bool(server.requests("CreateContainer")[1:]), 60)
        box, _ = next(one for one in await _listings(node) if one[0]["metadata"]["name"] == "web")
        server.garbage("ListPodSandbox", {"items": [{**box, "state": 77}]})
        made, began = len(server.requests("RunPodSandbox")), node.clock.monotonic()
        for _ in range(20):
            node.workers.poke("uid-web")
            await node.clock.sleep(0.05)
        assert len(server.requests("RunPodSandbox")) - made <= 2 + (node.clock.monotonic() - began)
        server.heal("ListPodSandbox")
        await node.until(_runs(node, "web"), 60)
        assert node.state("other")["restartCount"] == 0

    _run(tmp_path, story)
