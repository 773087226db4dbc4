"""Classes of pods weigh what is in them, as told every minute."""

from collections.abc import Iterable
from pathlib import Path

from kubelet.at_work import context
from kubelet.harness import FakeCgroups, FakeNode, pod, run
from kubelet.resizing import conditions, resize, resources, sized, started
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.parts.class_weights import ClassWeights
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.fake_cri import Behaviour


def test_it_is_told_every_minute(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        async with Tasks() as tasks:
            tasks.spawn(ClassWeights().run(context(node, tasks)), name="part")
            await node.clock.sleep(1)
            node.add(pod())
            await node.clock.sleep(60)
            tasks.cancel_all()
        assert isinstance(node.cgroups, FakeCgroups)
        assert node.cgroups.weighed == ["web"]

    run(tmp_path, story)


def test_pods_weigh_what_they_are_granted_and_nothing_when_they_are_over(tmp_path: Path) -> None:
    small, large = resources("20m", "35Mi"), resources("1", "9Gi")

    async def story(node: FakeNode) -> None:
        node.cri.behaviour = lambda one: Behaviour(ends_after=1 if one["metadata"]["name"] == "brief" else None)
        await started(node, sized("web", app=small))
        node.add(sized("done", {"restartPolicy": "Never"}, brief=small))
        await node.until(lambda: node.pods["done"].status.phase == "Succeeded")
        resize(node, app=large)
        await node.until(lambda: "PodResizePending" in conditions(node))
        weighed = list[tuple[str, str]]()

        def weigh(pods: Iterable[Pod]) -> None:
            weighed.extend((one.metadata.name, one.spec.containers[0].resources.requests["cpu"]) for one in pods)

        node.cgroups.weigh = weigh  # type: ignore[method-assign]
        async with Tasks() as tasks:
            tasks.spawn(ClassWeights().run(context(node, tasks)), name="part")
            await node.clock.sleep(1)
            tasks.cancel_all()
        assert weighed == [("web", "20m")]

    run(tmp_path, story)
