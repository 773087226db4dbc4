"""Mirrors in the API, as upstream's mirror_client.go, syncPod and HandlePodCleanups keep them."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from kubelet.static_pods.standing import Stage, manifest, play
from pilothouse.api.machinery.errors import NotFound
from pilothouse.api.types.core_v1 import Node, Pod
from pilothouse.apiserver.user import User
from pilothouse.client.key import Key
from pilothouse.controllers.main import ControllersConfig
from pilothouse.kubelet.pod_sources import PodSources
from pilothouse.kubelet.static_pods.mirror import MirroredPods, mirror_manifest, plan
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.loop import run

MIRROR, HASH = "kubernetes.io/config.mirror", "kubernetes.io/config.hash"


def static(name: str, uid: str = "1") -> Pod:
    annotations = {HASH: uid, "kubernetes.io/config.source": "file"}
    meta = {"name": name, "namespace": "default", "uid": uid, "annotations": annotations}
    return Pod({"metadata": meta, "spec": {"nodeName": "n1", "containers": [{"name": "a", "image": "b"}]}})


def mirror(name: str, of: str = "1", **meta: Any) -> Pod:
    return Pod({"metadata": {"name": name, "namespace": "default", "annotations": {MIRROR: of}, **meta}})


@pytest.mark.parametrize(
    ("wanted", "present", "ending", "all_known", "deleted", "created"),
    [
        ([static("a")], [], [], True, [], ["a"]),
        ([static("a")], [mirror("a")], [], True, [], []),
        ([static("a", "2")], [mirror("a")], [], True, ["a"], ["a"]),
        ([static("a")], [mirror("a", deletionTimestamp="2026-01-01T00:00:00Z")], [], True, ["a"], ["a"]),
        ([], [mirror("a")], [], True, ["a"], []),
        ([], [mirror("a")], [], False, [], []),  # its source may come yet
        ([], [mirror("a")], ["a"], True, [], []),  # its end is still told
        ([static("a", "2")], [mirror("a")], ["a"], True, [], []),
    ],
)
def test_what_is_to_be_done(
    wanted: list[Pod], present: list[Pod], ending: list[str], all_known: bool, deleted: list[str], created: list[str]
) -> None:
    found = plan(
        {Key.of(pod): pod for pod in wanted}, {Key.of(pod): pod for pod in present},
        [Key("default", name) for name in ending], all_known=all_known,
    )  # fmt: skip
    assert [pod.metadata.name for pod in found.delete] == deleted
    assert [pod.metadata.name for pod in found.create] == created


def test_a_node_may_make_it(tmp_path: Path) -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance, manager=ControllersConfig()) as cluster:
            node = await cluster.client().create(Node, {"metadata": {"name": "n1"}})
            client = cluster.client(User("system:node:n1", ("system:nodes", "system:authenticated")))
            pod = static("web-n1")
            made = await client.create(Pod, mirror_manifest(pod, node), "default")
            assert made.metadata.annotations[MIRROR] == "1"
            assert made.metadata.uid != "1"
            assert [(one.kind, one.uid, one.controller) for one in made.metadata.ownerReferences] == [
                ("Node", node.metadata.uid, True)
            ]
            await client.delete(Pod, "web-n1", "default", grace_period=0, uid=made.metadata.uid)

    run(story)


def test_it_appears_with_the_status_of_what_runs(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        stage.write(manifest())
        mirror = await stage.until_mirror(lambda pod: pod.status.phase == "Running")
        (uid,) = await stage.running()
        assert mirror.metadata.annotations[MIRROR] == mirror.metadata.annotations[HASH] == uid
        assert mirror.metadata.annotations["kubernetes.io/config.source"] == "file"
        assert mirror.metadata.uid != uid
        assert mirror.status.podIP.startswith("10.88.0.")
        assert mirror.status.raw["observedGeneration"] == mirror.metadata.generation
        assert [one.name for one in mirror.status.containerStatuses] == ["app"]

    play(tmp_path, story)


@pytest.mark.parametrize("grace", [None, 0])
def test_one_that_somebody_deletes_is_made_anew_and_nothing_ends(tmp_path: Path, grace: int | None) -> None:
    async def story(stage: Stage) -> None:
        stage.write(manifest())
        first = await stage.until_mirror(lambda pod: pod.status.phase == "Running")
        before = list(stage.node.cri.calls)
        await stage.client.delete(Pod, "web-n1", "default", grace_period=grace)
        again = await stage.until_mirror(
            lambda pod: pod.metadata.uid != first.metadata.uid and pod.status.phase == "Running"
        )
        assert again.status.containerStatuses[0].containerID == first.status.containerStatuses[0].containerID
        assert stage.node.cri.calls == before

    play(tmp_path, story)


def test_it_goes_with_its_pod(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        stage.write(manifest())
        await stage.until_mirror(lambda pod: pod.status.phase == "Running")
        stage.remove()
        await stage.until_none()
        assert await stage.running() == []
        assert await stage.node.cri.sandboxes() == []
        assert "stop_container app 30" in stage.node.cri.calls

    play(tmp_path, story)


def test_one_from_former_times_goes(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        node = await stage.client.get(Node, "n1")
        await stage.client.create(Pod, mirror_manifest(static("old-n1"), node), "default")
        await stage.until_none("old-n1")

    play(tmp_path, story)


def test_one_from_former_times_waits_for_all_sources(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        node = await stage.client.get(Node, "n1")
        await stage.client.create(Pod, mirror_manifest(static("old-n1"), node), "default")
        stage.write(manifest())
        await stage.until_mirror(lambda pod: pod.status.phase == "Running")
        assert await stage.mirror("old-n1") is not None
        stage.sources.seen("api")
        await stage.until_none("old-n1")

    play(tmp_path, story, heard=False)


def test_a_pod_of_that_name_stays_and_is_waited_for(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        other = {"metadata": {"name": "web-n1"}, "spec": manifest()["spec"]}
        mine = await stage.client.create(Pod, other, "default")
        stage.write(manifest())
        await stage.clock.sleep(30)
        assert len(await stage.running()) == 1
        found = await stage.mirror()
        assert found is not None
        assert found.metadata.uid == mine.metadata.uid
        await stage.client.delete(Pod, "web-n1", "default")
        await stage.until_mirror(lambda pod: MIRROR in pod.metadata.annotations and pod.status.phase == "Running")

    play(tmp_path, story)


def test_one_that_cannot_be_made_keeps_no_other(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.client.create(Pod, {"metadata": {"name": "first-n1"}, "spec": manifest()["spec"]}, "default")
        stage.write(manifest("first"), "a.yaml")
        stage.write(manifest(), "b.yaml")
        await stage.until_mirror(lambda pod: pod.status.phase == "Running")
        await stage.client.delete(Pod, "first-n1", "default")
        await stage.until_mirror(lambda pod: MIRROR in pod.metadata.annotations, "first-n1")

    play(tmp_path, story)


class Noting:
    """Pods of the API."""

    def __init__(self) -> None:
        self.patched: list[str] = []
        self.deleted: list[str] = []

    async def patch_status(self, pod: Pod, patch: Any) -> Pod:
        self.patched.append(pod.metadata.uid)
        return pod

    async def delete(self, pod: Pod) -> None:
        self.deleted.append(pod.metadata.uid)


def test_other_pods_are_reported_on_as_ever() -> None:
    async def main() -> None:
        noting = Noting()
        pods = MirroredPods(noting, PodSources())
        plain = Pod({"metadata": {"name": "a", "uid": "7"}})
        await pods.patch_status(plain, {})
        await pods.delete(plain)
        with pytest.raises(NotFound):
            await pods.patch_status(static("a"), {})
        await pods.delete(static("a"))
        assert (noting.patched, noting.deleted) == (["7"], ["7"])

    asyncio.run(main())
