"""Containers are given what they lack when the node takes their pod: after what speaks against it, before counting."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kubelet.devices.handing_out import GOOD, Bench, wanting
from kubelet.harness import FakeNode, pod, run
from kubelet.resizing import resize, resources, settled, sized, started, status_of
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.admission import NodeAdmission
from pilothouse.kubelet.admit_handler import Refusal
from pilothouse.kubelet.handout import Handout, NothingToGive
from pilothouse.runtime.clock import SystemClock
from pilothouse.runtime.tasks import Tasks

FOO = "example.com/foo"


def use(node: FakeNode, handout: Handout) -> None:
    node.admission = NodeAdmission(
        node.own, node.runtime, lambda: node.workers, node.told, node.clock, node.traits, handout=handout
    )  # fmt: skip


class Giver(NothingToGive):
    """Gives to all but `late`, and knows more than the node tells."""

    def __init__(self, more: Mapping[str, str]) -> None:
        self.asked: list[str] = []
        self.more = more

    async def hand_out(self, pod: Pod) -> Refusal | None:
        self.asked.append(pod.metadata.name)
        return Refusal("UnexpectedAdmissionError", "none left") if pod.metadata.name == "late" else None

    def known_to(self, pod: Pod, allocatable: Mapping[str, str]) -> Mapping[str, str]:
        return {**allocatable, **self.more}


@pytest.mark.parametrize("more", [{}, {FOO: "1"}])
def test_what_was_given_is_there_though_the_node_does_not_say_so(more: dict[str, str], tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.own.change(allocatable={FOO: "0"})
        giver = Giver(more)
        use(node, giver)
        node.add(pod("web", containers=[wanting(1, resources={"requests": {FOO: "1"}, "limits": {FOO: "1"}})]))
        node.add(pod("late"))
        node.add(pod("unsafe", securityContext={"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}))
        await node.until(lambda: node.pods["web"].status.phase in ("Running", "Failed"))
        await node.until(lambda: node.pods["late"].status.phase == "Failed")
        await node.until(lambda: node.pods["unsafe"].status.phase == "Failed")
        assert node.pods["web"].status.reason == ("" if more else f"OutOf{FOO}")
        status = node.pods["late"].status
        assert (status.reason, status.message) == ("UnexpectedAdmissionError", "Pod was rejected: none left")
        assert ("Warning", "UnexpectedAdmissionError", "none left") in node.told.events
        assert node.pods["unsafe"].status.reason == "SysctlForbidden"
        assert sorted(giver.asked) == ["late", "web"]

    run(tmp_path, story)


def test_a_change_of_resources_hands_out_nothing_again(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        giver = Giver({})
        use(node, giver)
        await started(node, sized(app=resources("20m", "35Mi")))
        resize(node, app=resources("25m", "40Mi"))
        await settled(node)
        await node.until(lambda: status_of(node)["resources"] == resources("25m", "40Mi"))
        assert giver.asked == ["web"]

    run(tmp_path, story)


def test_a_pod_runs_with_its_devices_and_the_next_is_refused(tmp_path: Path) -> None:
    """With a real plugin, in real time."""
    import asyncio

    device = {"container_path": "/dev/foo", "host_path": "/dev/null", "permissions": "rw"}

    async def main() -> None:
        async with Tasks() as tasks:
            bench, node = Bench(tmp_path, tasks), FakeNode(tmp_path, SystemClock(), tasks)
            node.contributor = bench.devices
            use(node, bench.devices)
            async with bench.plugin(a=GOOD) as plugin:
                plugin.given = {"devices": [device]}
                await bench.connect(plugin)
                node.own.change(allocatable={FOO: "1"})
                node.add(pod("web", containers=[{**wanting(1), "name": "app"}]))
                await node.until(lambda: node.pods["web"].status.phase == "Running", 20)
                (made,) = await node.cri.containers()
                config: Any = node.cri.config_of(made.id)
                assert config["devices"] == [device]
                assert {"key": "FOO", "value": "a"} in config["envs"]
                node.add(pod("next", containers=[wanting(1)]))
                await node.until(lambda: node.pods["next"].status.phase == "Failed", 20)
                assert node.pods["next"].status.reason == "UnexpectedAdmissionError"
                assert "Requested: 1, Available: 0, which is unexpected" in node.pods["next"].status.message
                await bench.devices.plugins.close()
            tasks.cancel_all()

    asyncio.run(main())
