"""The node is swept at once, every minute, and sooner where something stays."""

from dataclasses import replace
from pathlib import Path

from kubelet.at_work import context
from kubelet.harness import FakeNode, pod, run
from pilothouse.kubelet.cri.interface import CriUnavailable, Sandbox
from pilothouse.kubelet.parts.housekeeping import PERIOD, Sweeps
from pilothouse.kubelet.pod_sources import API, PodSources
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.fake_cri import FakeCri


class AwayCri(FakeCri):
    """Notes when it is asked for all; does not answer the first few times."""

    away = 0

    async def sandboxes(self, uid: str = "") -> list[Sandbox]:
        if not uid and self.away:
            self.away -= 1
            raise CriUnavailable("UNAVAILABLE", "starting")
        return await super().sandboxes(uid)


def test_what_belongs_to_nobody_goes_within_a_minute_and_pods_stay(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.add(pod())
        await node.until(lambda: bool(node.state().get("ready")))
        async with Tasks() as tasks:
            tasks.spawn(Sweeps().run(context(node, tasks)), name="part")
            early, late = node.layout.pod("early"), node.layout.pod("late")
            early.mkdir(parents=True)
            await node.clock.sleep(1)
            assert not early.exists()
            late.mkdir(parents=True)
            await node.clock.sleep(PERIOD - 2)
            assert late.exists()
            await node.clock.sleep(2)
            assert not late.exists()
            tasks.cancel_all()
        assert node.state()["ready"]
        assert node.layout.pod("uid-web").exists()

    run(tmp_path, story)


def test_dead_sandboxes_of_a_living_pod_do_not_pile_up(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        async with Tasks() as tasks:
            tasks.spawn(Sweeps().run(context(node, tasks)), name="part")
            node.add(pod())
            for restarts in range(5):
                await node.clock.sleep(400)
                assert (node.state()["ready"], node.state()["restartCount"]) == (True, restarts)
                if restarts < 4:
                    node.cri.lose_sandboxes()
            tasks.cancel_all()
        boxes, runs = await node.cri.sandboxes("uid-web"), await node.cri.containers("uid-web")
        assert sorted(box.attempt for box in boxes) == [3, 4]
        assert sorted(one.attempt for one in runs) == [3, 4]  # whose log `--previous` shows

    run(tmp_path, story)


def test_what_stays_is_tried_again_soon(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        cri = AwayCri(node.clock)
        cri.away = 3
        node.runtime = cri
        async with Tasks() as tasks:
            tasks.spawn(Sweeps().run(context(node, tasks)), name="part")
            stranger = node.layout.pod("stranger")
            stranger.mkdir(parents=True)
            await node.clock.sleep(2 + 4 + 7)
            assert stranger.exists()
            await node.clock.sleep(2)
            assert not stranger.exists()
            tasks.cancel_all()

    run(tmp_path, story)


def test_nothing_is_touched_before_all_sources_of_pods_are_known(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        async with Tasks() as tasks:
            sources = PodSources()
            tasks.spawn(Sweeps().run(replace(context(node, tasks), sources=sources)), name="part")
            perhaps = node.layout.pod("perhaps")
            perhaps.mkdir(parents=True)
            await node.clock.sleep(3 * PERIOD)
            assert perhaps.exists()
            sources.seen(API)
            await node.clock.sleep(1)
            assert not perhaps.exists()
            tasks.cancel_all()

    run(tmp_path, story)
