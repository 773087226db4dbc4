"""A running pod gets other resources: in which order, what is told meanwhile, and what when it fails."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from kubelet.harness import FakeCgroups, FakeNode, run
from kubelet.resizing import conditions, events, in_force, resize, resources, settled, sized, started, status_of
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.admit_handler import Refusal
from pilothouse.kubelet.cri.interface import Container
from pilothouse.kubelet.cri.usage import ContainerUse, MemoryUse
from pilothouse.kubelet.resources.swap import SwapFacts, SwapPolicy
from pilothouse.kubelet.stored_allocations import StoredAllocations
from pilothouse.testing.fake_cri import FakeCri

SMALL, LARGE = resources("20m", "35Mi", "30m", "45Mi"), resources("25m", "40Mi", "35m", "50Mi")
RESTARTING = {
    "resizePolicy": [{"resourceName": name, "restartPolicy": "RestartContainer"} for name in ("cpu", "memory")]
}
TOLD = (
    '{"containers":[{"name":"app","resources":{"limits":{"cpu":"35m","memory":"50Mi"},'
    '"requests":{"cpu":"25m","memory":"40Mi"}}}],"generation":2}'
)


class Groups(FakeCgroups):
    """Notes among the runtime's calls when a pod's group is changed."""

    calls: list[str]

    def resize(self, pod: Pod, *, grow: bool) -> None:
        self.calls.append(f"cgroup {'grow' if grow else 'fit'}")


def test_a_resize_is_granted_put_into_force_and_told(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        groups = node.cgroups = Groups()
        groups.calls = node.cri.calls
        await started(node, sized(app=SMALL))
        assert status_of(node) == {"resources": SMALL, "allocatedResources": SMALL["requests"]}
        node.cri.calls.clear()
        resize(node, app=LARGE)
        await settled(node)
        told = await in_force(node)
        assert (told.cpu_shares, told.cpu_quota, told.memory_limit_in_bytes) == (25, 3500, 50 << 20)
        assert status_of(node) == {"resources": LARGE, "allocatedResources": LARGE["requests"]}
        assert node.state()["restartCount"] == 0
        assert node.cri.calls == ["cgroup grow", "update_resources app", "cgroup fit", "update_sandbox_resources"]
        assert [one for one in node.told.events if one[1].startswith("Resize")] == [
            ("Normal", "ResizeStarted", f"Pod resize started: {TOLD}"),
            ("Normal", "ResizeCompleted", f"Pod resize completed: {TOLD}"),
        ]
        resize(node, app=SMALL)
        await settled(node)
        assert status_of(node) == {"resources": SMALL, "allocatedResources": SMALL["requests"]}

    run(tmp_path, story)


@pytest.mark.parametrize(("before", "after"), [
    (resources("20m"), resources("25m", cpu_limit="35m")),
    (resources(memory="35Mi"), resources(memory="30Mi", memory_limit="50Mi")),
    (resources("20m", "35Mi"), resources("20m", "30Mi")),
    (resources("20m"), resources("15m", "35Mi")),
    (resources(memory="35Mi"), resources("20m", "40Mi")),
    (resources("2m", cpu_limit="10m"), resources("1m", cpu_limit="5m")),
    (resources("20m", "35Mi"), resources("25m", "40Mi")),
])  # fmt: skip
def test_the_containers_of_the_conformance_tests(tmp_path: Path, before: JsonObject, after: JsonObject) -> None:
    """Those of six containers, of equivalents and of the replace endpoint: test/e2e/common/node/pod_resize.go."""

    async def story(node: FakeNode) -> None:
        await started(node, sized(app=before))
        assert status_of(node) == {"resources": before, "allocatedResources": before["requests"]}
        for wanted in (after, before):
            resize(node, app=wanted)
            await settled(node)
            assert status_of(node)["allocatedResources"] == wanted["requests"]
            assert status_of(node)["resources"] == wanted
            if "limits" not in before:
                return  # they cannot be taken away again
        assert node.state()["restartCount"] == 0

    run(tmp_path, story)


def test_a_container_that_wants_it_is_restarted(tmp_path: Path) -> None:
    """Even one whose policy would have it end for good: its end was ours."""

    async def story(node: FakeNode) -> None:
        manifest = sized(spec={"restartPolicy": "OnFailure"}, app=SMALL, other=SMALL)
        manifest["spec"]["containers"][0] |= RESTARTING
        await started(node, manifest)
        first = node.state()["containerID"]
        node.cri.calls.clear()
        resize(node, app=LARGE, other=LARGE)
        await node.until(lambda: node.state()["restartCount"] == 1)
        await settled(node)
        assert node.state()["containerID"] != first
        assert ("Normal", "Killing", "Container app resize requires restart") in node.told.events
        for name, count in (("app", 1), ("other", 0)):
            assert (await in_force(node, name)).memory_limit_in_bytes == 50 << 20
            assert status_of(node, name) == {"resources": LARGE, "allocatedResources": LARGE["requests"]}
            assert node.state(container=name)["restartCount"] == count
        assert node.cri.calls == [
            "stop_container app 30", "update_resources other", "update_sandbox_resources", "create_container app",
            "start_container app",
        ]  # fmt: skip
        assert node.phases["web"][-1] == "Running"
        assert "Succeeded" not in node.phases["web"]

    run(tmp_path, story)


def test_a_container_that_cannot_start_again_goes_on_trying(tmp_path: Path) -> None:
    """Its last run ended well, and by the pod's policy it would be done: but that end was ours."""

    async def story(node: FakeNode) -> None:
        manifest = sized(spec={"restartPolicy": "OnFailure"}, app=SMALL)
        manifest["spec"]["containers"][0] |= {**RESTARTING, "envFrom": [{"configMapRef": {"name": "settings"}}]}
        settings = node.objects.config_maps["settings"] = {"data": {}}
        await started(node, manifest)
        del node.objects.config_maps["settings"]
        resize(node, app=LARGE)
        await node.until(lambda: node.state()["state"].get("waiting", {}).get("reason") == "CreateContainerConfigError")
        assert "PodResizeInProgress" in conditions(node)
        node.objects.config_maps["settings"] = settings
        await settled(node)
        assert (await in_force(node)).memory_limit_in_bytes == 50 << 20
        assert set(node.phases["web"]) == {"Running"}

    run(tmp_path, story)


def test_less_memory_than_is_used_is_refused_until_less_is_used(tmp_path: Path) -> None:
    """Source: the end-to-end test that decreases a memory limit below usage; the message is the kubelet's."""

    async def story(node: FakeNode) -> None:
        groups = node.cgroups = FakeCgroups()
        await started(node, sized(app=SMALL, other=SMALL))
        groups.too_little = (10 << 10, 2_000_000)
        node.cri.uses["app"] = ContainerUse("", "", memory=MemoryUse(0, usage=1_500_000))
        tiny = resources("20m", "10Ki", "30m", "10Ki")
        resize(node, app=tiny)
        await node.until(lambda: conditions(node).get("PodResizeInProgress", ("",))[0] == "Error")
        message = (
            "cannot decrease memory limits: [attempting to set pod memory limit (10240) below current usage (2000000), "
            'attempting to set container "app" memory limit (10240) below current usage (1500000)]'
        )
        assert conditions(node) == {"PodResizeInProgress": ("Error", message, 2)}
        assert status_of(node) == {"resources": SMALL, "allocatedResources": tiny["requests"]}
        assert (await in_force(node)).memory_limit_in_bytes == 45 << 20
        groups.too_little = (10 << 10, 2_000_001)
        await node.clock.sleep(35)
        assert "current usage (2000001)" in conditions(node)["PodResizeInProgress"][1]
        assert events(node) == ["ResizeStarted", "ResizeError"]
        groups.too_little = None
        await node.until(lambda: "attempting to set pod" not in conditions(node)["PodResizeInProgress"][1])
        assert events(node) == ["ResizeStarted", "ResizeError", "ResizeError"]
        node.cri.uses["app"] = replace(node.cri.uses["app"], memory=MemoryUse(0, usage=9_000))
        await settled(node)
        assert status_of(node) == {"resources": tiny, "allocatedResources": tiny["requests"]}
        assert events(node)[-1] == "ResizeCompleted"

    run(tmp_path, story)


def test_another_change_takes_the_place_of_one_that_failed(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        await started(node, sized(app=SMALL))
        node.cri.refused_updates["app"] = "unable to set memory limit"
        resize(node, app=resources("20m", "1Mi", "30m", "1Mi"))
        await node.until(lambda: conditions(node).get("PodResizeInProgress", ("",))[0] == "Error")
        assert conditions(node)["PodResizeInProgress"][1:] == (
            "rpc error: code = Unknown desc = unable to set memory limit", 2,
        )  # fmt: skip
        node.cri.refused_updates.clear()
        resize(node, app=SMALL)
        await settled(node)
        assert node.pods["web"].metadata.generation == 3
        assert events(node) == ["ResizeStarted", "ResizeError", "ResizeStarted", "ResizeCompleted"]

    run(tmp_path, story)


class Room:
    """Refuses what does not fit beside the others."""

    def __init__(self, milli: int) -> None:
        self.milli = milli

    async def admit(self, pod: Pod, others: Sequence[Pod], *, resized: bool = False) -> Refusal | None:
        def asked(one: Pod) -> int:
            return sum(int(c.resources.requests.get("cpu", "0m").removesuffix("m")) for c in one.spec.containers)

        used = sum(asked(one) for one in others)
        if used + asked(pod) <= self.milli:
            return None
        return Refusal("OutOfcpu", f"Node didn't have enough resource: cpu, requested: {asked(pod)}, used: {used}, "
                                   f"capacity: {self.milli}")  # fmt: skip


def test_what_does_not_fit_waits_until_another_pod_has_ended(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.admission = Room(1000)
        await started(node, sized("web", app=resources("400m")))
        await started(node, sized("other", app=resources("500m")))
        resize(node, app=resources("700m"))
        await node.until(lambda: "PodResizePending" in conditions(node))
        message = "Node didn't have enough resource: cpu, requested: 700, used: 500, capacity: 1000"
        assert conditions(node) == {"PodResizePending": ("Deferred", message, 2)}
        assert status_of(node) == {"resources": resources("400m"), "allocatedResources": {"cpu": "400m"}}
        assert node.told.events[-1][:2] == ("Warning", "ResizeDeferred")
        assert node.told.events[-1][2].startswith("Pod resize Deferred: {")
        # What waits takes no room: the node counts what is granted.
        await started(node, sized("third", app=resources("100m")))
        before = node.clock.now()
        node.delete_pod("other", 0)
        node.delete_pod("third", 0)
        await settled(node)
        assert node.clock.now() - before < 10
        assert status_of(node) == {"resources": resources("700m"), "allocatedResources": {"cpu": "700m"}}
        assert events(node) == ["ResizeDeferred", "ResizeStarted", "ResizeCompleted"]

    run(tmp_path, story)


def test_the_nodes_own_admission_is_asked(tmp_path: Path) -> None:
    """It counts what others are granted, and of one whose limits are still to fall what it has."""

    async def story(node: FakeNode) -> None:
        await started(node, sized("web", app=resources("500m")))
        await started(node, sized("other", app=resources("900m")))
        resize(node, app=resources("1500m"))
        await node.until(lambda: "PodResizePending" in conditions(node))
        message = "Node didn't have enough resource: cpu, requested: 1500, used: 900, capacity: 2000"
        assert conditions(node)["PodResizePending"][:2] == ("Deferred", message)
        resize(node, "other", app=resources("100m"))
        await settled(node, "other")
        await node.until(lambda: conditions(node) == {}, 10)
        assert status_of(node)["allocatedResources"] == {"cpu": "1500m"}

    run(tmp_path, story)


def test_whoever_is_more_important_gets_room_first(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.admission = Room(1000)
        await started(node, sized("web", app=resources("100m")))
        await started(node, sized("vip", {"priority": 5}, app=resources("100m")))
        await started(node, sized("other", app=resources("700m")))
        for name in ("web", "vip"):
            resize(node, name, app=resources("800m"))
            await node.until(lambda name=name: "PodResizePending" in conditions(node, name))  # type: ignore[misc]
        node.delete_pod("other", 0)
        await settled(node, "vip")
        assert status_of(node, name="vip")["allocatedResources"] == {"cpu": "800m"}
        assert conditions(node)["PodResizePending"][0] == "Deferred"
        # The smaller one of the two, if it asks for less.
        resize(node, app=resources("200m"))
        await settled(node)
        assert status_of(node)["allocatedResources"] == {"cpu": "200m"}

    run(tmp_path, story)


def test_room_that_comes_otherwise_is_found_after_a_while(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        room = node.admission = Room(1000)
        await started(node, sized(app=resources("400m")))
        resize(node, app=resources("2000m"))
        await node.until(lambda: "PodResizePending" in conditions(node))
        room.milli = 2000
        with pytest.raises(TimeoutError):
            await node.until(lambda: not conditions(node), 20)
        await node.until(lambda: not conditions(node), 180)
        assert status_of(node)["allocatedResources"] == {"cpu": "2000m"}

    run(tmp_path, story)


def test_what_the_node_could_never_grant_is_told_and_changes_nothing(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        await started(node, sized(app=SMALL))
        resize(node, app=resources("3", "35Mi", "3", "45Mi"))
        await node.until(lambda: "PodResizePending" in conditions(node))
        message = "Node didn't have enough capacity: cpu, requested: 3000, capacity: 2000"
        assert conditions(node) == {"PodResizePending": ("Infeasible", message, 2)}
        await node.clock.sleep(600)
        assert events(node) == ["ResizeInfeasible"]
        assert status_of(node) == {"resources": SMALL, "allocatedResources": SMALL["requests"]}
        resize(node, app=SMALL)
        await settled(node)
        assert events(node) == ["ResizeInfeasible"]

    run(tmp_path, story)


def test_a_change_in_progress_keeps_its_generation_while_another_waits(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        await started(node, sized(app=SMALL))
        node.cri.refused_updates["app"] = "not now"
        resize(node, app=LARGE)
        await node.until(lambda: "PodResizeInProgress" in conditions(node))
        resize(node, app=resources("3", "35Mi", "3", "45Mi"))
        await node.until(lambda: "PodResizePending" in conditions(node))
        generations = {kind: told[2] for kind, told in conditions(node).items()}
        assert generations == {"PodResizeInProgress": 2, "PodResizePending": 3}

    run(tmp_path, story)


def test_with_version_1_memory_and_swap_are_limited_together(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.facts = replace(node.facts, swap=SwapFacts(counted=True))
        await started(node, sized(app=resources("20m"), other=resources("20m")))
        resize(node, app=resources("20m", "", "", "50Mi"), other=resources("30m"))
        await settled(node)
        assert [(await in_force(node, name)).memory_swap_limit_in_bytes for name in ("app", "other")] == [50 << 20, 0]

    run(tmp_path, story)


@pytest.mark.parametrize(
    ("cpu", "memory", "policy"),
    [("2", "64Mi", 'CPU Manager policy "static"'), ("1", "65Mi", 'Memory Manager policy "Static"')],
)
def test_guaranteed_pods_keep_what_they_may_have_for_themselves(
    cpu: str, memory: str, policy: str, tmp_path: Path
) -> None:
    """The second message is assumed: it is the first one's like."""

    async def story(node: FakeNode) -> None:
        allocations = node.services.allocations
        assert isinstance(allocations, StoredAllocations)
        allocations.own_cpus = allocations.own_memory = True
        await started(node, sized(app=resources("1", "64Mi", "1", "64Mi")))
        resize(node, app=resources(cpu, memory, cpu, memory))
        await node.until(lambda: "PodResizePending" in conditions(node))
        message = f"Resize is infeasible for Guaranteed Pods alongside {policy}"
        assert conditions(node)["PodResizePending"] == ("Infeasible", message, 2)

    run(tmp_path, story)


def test_swap_is_not_shared_out_anew(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        allocations = node.services.allocations
        assert isinstance(allocations, StoredAllocations)
        policy = SwapPolicy(behavior="LimitedSwap")
        allocations.swap = SwapFacts(policy=policy, counted=True, v2=True, total=1 << 30, memory=8 << 30)
        await started(node, sized(app=SMALL))
        resize(node, app=LARGE)
        await node.until(lambda: "PodResizePending" in conditions(node))
        message = "In-place resize of containers with swap is not supported."
        assert conditions(node)["PodResizePending"] == ("Infeasible", message, 2)

    run(tmp_path, story)


class Watched(FakeCri):
    """Has something happen while it is asked for a pod's containers."""

    happens: Callable[[], None] = staticmethod(lambda: None)

    async def containers(self, uid: str = "") -> list[Container]:
        found = await super().containers(uid)
        if uid:
            self.happens()
        return found


def test_a_generation_is_not_told_of_before_it_was_looked_at(tmp_path: Path) -> None:
    """Whoever waits for the generation and sees no condition takes the resize for done."""

    async def story(node: FakeNode) -> None:
        cri = node.cri = node.runtime = node.pleg._cri = Watched(node.clock, present=node.cri.present)
        await started(node, sized(app=SMALL))
        told: list[bool] = []
        write = node.patch_status

        async def patch_status(pod: Pod, patch: JsonObject) -> Pod:
            found = await write(pod, patch)
            if found.status.observedGeneration == 2:
                told.append(bool(conditions(node)) or status_of(node)["resources"] == LARGE)
            return found

        node.patch_status = patch_status  # type: ignore[method-assign]

        def once() -> None:
            cri.happens = lambda: None
            resize(node, app=LARGE)

        cri.happens = once
        node.workers.poke("uid-web")
        await node.until(lambda: status_of(node)["resources"] == LARGE)
        assert told
        assert all(told)

    run(tmp_path, story)


def test_sidecars_are_resized_too(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        side = {"name": "side", "image": "app:1", "restartPolicy": "Always", "resources": SMALL}
        await started(node, sized(spec={"initContainers": [side]}, app=SMALL))
        resize(node, side=LARGE)
        await settled(node)
        assert (await in_force(node, "side")).memory_limit_in_bytes == 50 << 20
        assert (await in_force(node, "app")).memory_limit_in_bytes == 45 << 20
        assert status_of(node, "side")["resources"] == LARGE

    run(tmp_path, story)


def test_what_the_pod_has_as_a_whole_is_resized_too(tmp_path: Path) -> None:
    """KEP-5419: its own group alone changes, where its containers ask for nothing."""

    async def story(node: FakeNode) -> None:
        groups = node.cgroups = Groups()
        groups.calls = node.cri.calls
        await started(node, sized(spec={"resources": resources("1", "", "1")}, app={}))
        assert node.pods["web"].status.raw["resources"] == resources("1", "", "1")
        node.cri.calls.clear()
        raw = node.pods["web"].literal()
        raw["spec"]["resources"] = resources("2", "", "2")
        raw["metadata"]["generation"] += 1
        node.add(raw)
        await settled(node)
        assert node.cri.calls == ["cgroup grow", "cgroup fit", "update_sandbox_resources"]
        assert node.pods["web"].status.raw["resources"] == resources("2", "", "2")
        assert dict(node.pods["web"].status.allocatedResources) == {"cpu": "2"}
        raw = node.pods["web"].literal()
        raw["spec"]["resources"] = resources("3", "", "3")
        raw["metadata"]["generation"] += 1
        node.add(raw)
        await node.until(lambda: "PodResizePending" in conditions(node))
        assert node.pods["web"].status.raw["resources"] == resources("2", "", "2")

    run(tmp_path, story)
