"""Containers of pods that are over go, and what was told of them stays."""

from pathlib import Path

from kubelet.harness import FakeNode, pod, run
from pilothouse.kubelet.eviction.reclaimer import all_reclaimers
from pilothouse.kubelet.eviction.reclaimers.dead_containers import DeadContainers
from pilothouse.testing.fake_cri import Behaviour


def test_of_pods_that_are_over(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.cri.behaviour = lambda _: Behaviour(ends_after=2, exit_code=3)
        node.add(pod("job", restartPolicy="Never"))
        node.add(pod("again"))
        await node.until(lambda: node.pods["job"].status.phase == "Failed")
        await node.until(lambda: "waiting" in node.state("again")["state"])
        before = node.pods["job"].status.raw
        logs = {name: node.layout.log(node.pods[name], "app", 0) for name in ("job", "again")}
        for log in logs.values():
            log.parent.mkdir(parents=True, exist_ok=True)
            log.write_text("a line")
        logs["job"].with_name("0.log.20260101-120000.gz").touch()
        await DeadContainers(node.services, node.workers).reclaim()
        owners = {box.id: box.name for box in await node.cri.sandboxes()}
        assert {owners[one.sandbox_id] for one in await node.cri.containers()} == {"again"}
        assert list(logs["job"].parent.iterdir()) == []
        assert logs["again"].exists()
        node.workers.poke_all()
        await node.clock.sleep(30)
        assert node.pods["job"].status.raw == before

    run(tmp_path, story)


def test_it_is_found(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        assert DeadContainers in [type(one) for one in all_reclaimers(node.services, node.workers)]

    run(tmp_path, story)
