"""The machine's clock jumps, by a day and back: pods run on, and what ends meanwhile is started again as ever."""

from pathlib import Path

import pytest

from kubelet.harness import FakeNode, pod
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing import loop

DAY = 86_400.0


class LeapingClock(LoopClock):
    """What time it is, is somebody else's matter; how much of it passes is not."""

    leapt = 0.0

    def now(self) -> float:
        return super().now() + self.leapt


@pytest.mark.parametrize("leaps", [(DAY,), (-DAY,), (DAY, -2 * DAY)], ids=["on", "back", "on and back"])
def test_pods_do_not_notice(tmp_path: Path, leaps: tuple[float, ...]) -> None:
    async def main(virtual: LoopClock, _chance: object) -> None:
        clock = LeapingClock(virtual.now() - virtual.monotonic())
        async with Tasks() as tasks:
            node = FakeNode(tmp_path, clock, tasks)
            token = {"sources": [{"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}}]}
            node.add(pod(volumes=[{"name": "token", "projected": token}]))
            await node.until(lambda: node.pods["web"].status.phase == "Running")
            for leap in leaps:
                clock.leapt += leap
                await clock.sleep(200)
            assert (node.state()["restartCount"], node.condition("Ready")) == (0, "True")
            assert len(node.objects.tokens) > 1 or leaps[0] < 0
            node.cri.end("app", 1)

            await node.until(lambda: node.state()["restartCount"] == 1 and node.condition("Ready") == "True", 30)
            node.delete_pod("web")
            await node.until(lambda: not node.pods, 60)

    loop.run(main)


def test_a_lost_sandbox_is_replaced_though_the_clock_was_put_back(tmp_path: Path) -> None:
    async def main(virtual: LoopClock, _chance: object) -> None:
        clock = LeapingClock(virtual.now() - virtual.monotonic())
        async with Tasks() as tasks:
            node = FakeNode(tmp_path, clock, tasks)
            node.add(pod())
            await node.until(lambda: node.pods["web"].status.phase == "Running")
            await clock.sleep(10)
            clock.leapt -= DAY
            node.cri.lose_sandboxes()
            await node.until(lambda: node.state()["restartCount"] == 1 and node.condition("Ready") == "True", 30)

    loop.run(main)
