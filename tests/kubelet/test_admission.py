"""Which pods a node takes, and beside which others they are judged."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kubelet.harness import FakeCgroups, FakeNode, pod, run
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.admission import Refusal
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.fake_cri import Behaviour


@dataclass
class Room:
    """Has room for so many pods, and takes its time."""

    places: int
    clock: Clock
    asked: list[tuple[str, list[str]]] = field(default_factory=list)

    async def admit(self, pod: Pod, others: Sequence[Pod]) -> Refusal | None:
        await self.clock.sleep(1)
        self.asked.append((pod.metadata.name, [other.metadata.name for other in others]))
        return Refusal("OutOfpods", "no room") if len(others) >= self.places else None


def test_of_two_pods_at_once_one_has_the_last_place_and_nothing_is_made_of_the_other(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.admission = room = Room(1, node.clock)
        node.add(pod("first"))
        node.add(pod("second"))
        await node.until(lambda: node.pods["first"].status.phase == "Running")
        await node.until(lambda: node.pods["second"].status.phase == "Failed")
        assert room.asked == [("first", []), ("second", ["first"])]
        status = node.pods["second"].status
        assert (status.reason, status.message) == ("OutOfpods", "Pod was rejected: no room")
        assert ("Warning", "OutOfpods", "no room") in node.told.events
        assert node.cri.calls.count("run_sandbox") == 1
        assert isinstance(node.cgroups, FakeCgroups)
        assert node.cgroups.present == {"uid-first"}

    run(tmp_path, story)


def test_a_pod_is_asked_for_once_and_frees_its_place_when_it_has_ended(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.admission = room = Room(1, node.clock)
        node.cri.behaviour = lambda _: Behaviour(ends_after=5)
        node.add(pod("first", restartPolicy="Never"))
        await node.until(lambda: node.pods["first"].status.phase == "Succeeded")
        node.add(pod("second", restartPolicy="Always"))
        await node.until(lambda: node.state("second")["restartCount"] == 2)
        assert room.asked == [("first", []), ("second", [])]

    run(tmp_path, story)


def test_what_an_earlier_kubelet_began_has_its_place(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.add(pod("first"))
        await node.until(lambda: node.pods["first"].status.phase == "Running")
        async with Tasks() as tasks:
            second = FakeNode(tmp_path, node.clock, tasks, cri=node.cri)
            second.admission = room = Room(0, node.clock)
            second.add(pod("new"))
            second.add(node.pods["first"].literal())
            await second.until(lambda: second.pods["new"].status.phase == "Failed")
            await node.clock.sleep(5)
            assert room.asked == [("new", ["first"])]
            assert second.pods["first"].status.phase == "Running"

    run(tmp_path, story)
