"""A pod is run with what it is granted, whatever its spec asks for."""

from collections.abc import Sequence
from pathlib import Path

from kubelet.harness import FakeNode, pod, run
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.admit_handler import Refusal
from pilothouse.kubelet.allocation import AsAsked
from pilothouse.kubelet.observed import ResizeNote, ResizeState


class Half(AsAsked):
    """Grants half a processor to everybody, and says so."""

    def applied(self, pod: Pod) -> Pod:
        raw = pod.literal()
        raw["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "500m"}, "requests": {"cpu": "500m"}}
        return Pod(raw)

    def resize_state(self, uid: str) -> ResizeState:
        return ResizeState(pending=ResizeNote("Deferred", f"{uid} has to wait", 7))


class Judge:
    """Remembers how much was asked for."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    async def admit(self, pod: Pod, others: Sequence[Pod], *, resized: bool = False) -> Refusal | None:
        self.asked.append([str(one.spec.containers[0].resources.requests["cpu"]) for one in (pod, *others)])
        return None


def test_what_is_granted_is_what_runs_and_counts(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.allocations, node.admission = Half(), (judge := Judge())
        asked = {"limits": {"cpu": "2"}, "requests": {"cpu": "2"}}
        containers = [{"name": "app", "image": "app:1", "resources": asked}]
        node.add(pod("web", containers=containers))
        await node.until(lambda: node.pods["web"].status.phase == "Running")
        node.add(pod("other", containers=containers))
        await node.until(lambda: node.pods["other"].status.phase == "Running")
        assert judge.asked == [["500m"], ["500m", "500m"]]
        (run, *_) = await node.cri.containers("uid-web")
        resources = node.cri.config_of(run.id)["linux"]["resources"]
        assert resources["cpu_quota"] == 50_000
        (told,) = [one for one in node.pods["web"].status.conditions if one.type == "PodResizePending"]
        assert (told.status, told.reason, told.message) == ("True", "Deferred", "uid-web has to wait")
        assert told.observedGeneration == 7
        assert node.pods["web"].spec.containers[0].resources.requests["cpu"] == "2"

    run(tmp_path, story)
