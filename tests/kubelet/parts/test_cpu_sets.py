"""Running containers hear which processors they may use."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from kubelet.harness import FakeNode, pod, run
from kubelet.managers.giving import Giver, guaranteed
from pilothouse.kubelet.managers.policy import Exclusive
from pilothouse.kubelet.parts.cpu_sets import CpuSets
from pilothouse.runtime.tasks import Tasks


def test_who_shares_leaves_what_others_have_and_returns(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        giver = Giver(tmp_path / "state", active={"uid-web", "uid-new"})
        node.add(pod("web"))
        await node.until(lambda: node.pods["web"].status.phase == "Running")
        asked = {"config": SimpleNamespace(exclusive=Exclusive()), "workers": node.workers}
        services = SimpleNamespace(cri=node.cri, clock=node.clock, cpus=giver.cpus)
        async with Tasks() as tasks:
            running = tasks.spawn(CpuSets().run(cast("Any", SimpleNamespace(services=services, **asked))), name="part")

            async def cpus() -> str:
                (container,) = await node.cri.containers()
                resources = (await node.cri.container_status(container.id)).resources
                return resources.cpuset_cpus if resources else ""

            def updates() -> int:
                return node.cri.calls.count("update_resources app")

            await node.until(lambda: updates() == 1)
            assert await cpus() == "0-7"
            await node.clock.sleep(25)
            assert updates() == 1
            await giver.cpus.allocate(new := guaranteed("new", "2"), new.spec.containers[0], None)
            await node.until(lambda: updates() == 2)
            assert await cpus() == "0,2-4,6-7"
            assert giver.active is not None
            giver.active.discard("uid-new")
            node.cri.refused_updates["app"] = "busy"
            await node.until(lambda: updates() >= 4)
            assert await cpus() == "0,2-4,6-7"
            node.cri.refused_updates.clear()
            await node.clock.sleep(11)
            assert await cpus() == "0-7"
            running.cancel()

    run(tmp_path, story)


def test_a_node_whose_containers_share_all_has_nothing_to_do() -> None:
    asyncio.run(CpuSets().run(cast("Any", SimpleNamespace(services=SimpleNamespace(cpus=None)))))
