"""How quickly pods get on, as metrics have it."""

from pathlib import Path

from kubelet.harness import FakeNode, pod, run
from kubelet.test_admission import asking
from pilothouse.runtime.clock import format_time
from pilothouse.testing.fake_cri import Behaviour


def test_a_pods_start_is_timed_once(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.cri.behaviour = lambda config: Behaviour(3 if config["metadata"]["name"] == "init" else None)
        meta = {"creationTimestamp": format_time(node.clock.now() - 10)}
        node.add(pod(metadata=meta, initContainers=[{"name": "init", "image": "app:1"}]))
        await node.until(lambda: node.pods["web"].status.phase == "Running")
        await node.clock.sleep(200)
        assert node.counted("pod_start_duration_seconds_count") == 1
        assert round(node.counted("pod_start_duration_seconds_sum")) == 3
        assert node.counted("pod_start_total_duration_seconds_count") == 1
        assert round(node.counted("pod_start_total_duration_seconds_sum")) == 13
        assert node.counted("pod_worker_start_duration_seconds_count") == 1

    run(tmp_path, story)


def test_what_ran_before_counts_for_no_start_and_neither_does_what_fails(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.add({**pod(), "status": {"phase": "Running"}})
        node.add(asking("failing", "100"))
        await node.until(lambda: node.pods["failing"].status.phase == "Failed")
        assert node.counted("pod_start_duration_seconds_count") == 0

    run(tmp_path, story)


def test_looks_are_told_apart_by_what_they_are_for(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        def looks(kind: str) -> float:
            return node.counted("pod_worker_duration_seconds_count", operation_type=kind)

        node.add(pod())
        await node.until(lambda: node.pods["web"].status.phase == "Running")
        assert looks("create") == 1
        await node.clock.sleep(130)
        assert looks("sync") >= 2
        assert not looks("kill")
        before, raw = looks("update"), node.pods["web"].literal()
        node.add({**raw, "metadata": {**raw["metadata"], "labels": {"a": "b"}}})
        await node.until(lambda: looks("update") > before)
        node.delete_pod("web", 0)
        await node.until(lambda: not node.pods)
        assert looks("kill") >= 1

    run(tmp_path, story)
