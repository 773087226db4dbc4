"""A node whose runtime stands behind a real socket, and does not always answer."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import grpc

from fakes.cri_server import CriServer
from kubelet.cri.serving import APP
from kubelet.harness import FakeNode, pod
from pilothouse.kubelet.cri.client import CriClient
from pilothouse.kubelet.cri.deadlines import REQUEST
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
