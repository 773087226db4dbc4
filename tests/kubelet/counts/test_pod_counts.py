"""What is counted of pods and containers that start, and of those that do not."""

from pathlib import Path

from kubelet.harness import FakeNode, pod, run
from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.cri.interface import CriError
from pilothouse.testing.fake_cri import Behaviour, FakeCri


def test_pods_and_each_kind_of_container_are_counted(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        init = [{"name": "init", "image": "app:1"}]
        node.cri.behaviour = lambda config: Behaviour(0.5 if config["metadata"]["name"] == "init" else None)
        node.add(pod(initContainers=init, containers=[{"name": name, "image": "app:1"} for name in "ab"]))
        await node.until(lambda: node.pods["web"].status.phase == "Running")
        assert node.counted("started_pods_total") == 1
        assert node.counted("started_pods_errors_total") == 0
        assert node.counted("started_containers_total", container_type="container") == 2
        assert node.counted("started_containers_total", container_type="init_container") == 1
        assert node.counted("containers_per_pod_count_sum") == 2

    run(tmp_path, story)


def test_what_fails_is_counted_with_its_reason(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.add(pod(containers=[{"name": "app", "image": "gone:1", "imagePullPolicy": "Never"}]))
        node.add(pod("other", hostUsers=False))
        await node.until(lambda: node.state()["state"]["waiting"]["reason"] == "ErrImageNeverPull")
        kind = {"container_type": "container"}
        assert node.counted("started_containers_errors_total", **kind, code="ErrImageNeverPull") >= 1
        assert node.counted("started_containers_total", **kind) >= 1
        await node.until(lambda: node.counted("started_user_namespaced_pods_errors_total") >= 1)
        assert node.counted("started_user_namespaced_pods_total") >= 1
        assert node.counted("started_pods_errors_total") >= 1

    run(tmp_path, story)


class Full(FakeCri):
    """Has no room for sandboxes."""

    async def run_sandbox(self, config: JsonObject, handler: str = "") -> str:
        raise CriError("UNKNOWN", "no room")


def test_a_sandbox_that_the_runtime_refuses_is_counted(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.runtime = Full(node.clock)
        node.add(pod())
        await node.until(lambda: node.counted("started_pods_errors_total") >= 1)
        assert node.counted("started_pods_total") >= 1

    run(tmp_path, story)
