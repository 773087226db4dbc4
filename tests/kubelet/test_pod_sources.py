"""Pods from the API server and from elsewhere: who is run, who waits, who is a mirror."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from kubelet.harness import FakeNode, pod, run
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.critical import is_critical, is_static
from pilothouse.kubelet.pod_sources import API, PodSources
from pilothouse.kubelet.static_pods.manifest import stamped
from pilothouse.runtime.clock import format_time
from pilothouse.testing.fake_cri import Behaviour

MIRROR, HASH, SOURCE = (f"kubernetes.io/config.{name}" for name in ("mirror", "hash", "source"))


def static(name: str = "web", uid: str = "1", image: str = "app:1", **spec: Any) -> Pod:
    annotations = {HASH: uid, SOURCE: "file"}
    containers = [{"name": "app", "image": image}]
    return Pod(pod(name, metadata={"uid": uid, "annotations": annotations}, containers=containers, **spec))


def mirror(of: Pod, version: str = "5", **status: Any) -> Pod:
    annotations = {**of.metadata.annotations, MIRROR: of.metadata.uid}
    meta = {"uid": f"mirror-{version}", "resourceVersion": version, "generation": 1, "annotations": annotations}
    return Pod({**pod(of.metadata.name, metadata=meta), "status": {"phase": "Pending", **status}})


def play(tmp_path: Path, story: Callable[[FakeNode, PodSources], Coroutine[Any, Any, None]]) -> None:
    async def main(node: FakeNode) -> None:
        node.cri.behaviour = lambda _config: Behaviour(ignores_signals=True)
        sources = PodSources(("file",))
        sources.feed(node.workers)
        await story(node, sources)

    run(tmp_path, main)


async def running(node: FakeNode) -> list[str]:
    """Pods with a container that runs, by uid."""
    return sorted({one.labels["io.kubernetes.pod.uid"] for one in await node.cri.containers() if one.state.value == 1})


def test_all_sources_must_be_heard_of(tmp_path: Path) -> None:
    async def story(node: FakeNode, sources: PodSources) -> None:
        assert not sources.is_complete
        sources.seen(API)
        with pytest.raises(TimeoutError):
            async with node.clock.timeout(1):
                await sources.complete()
        sources.set("file", [])
        await sources.complete()
        assert sources.is_complete

    play(tmp_path, story)


def test_pods_of_the_api_run_and_mirrors_do_not(tmp_path: Path) -> None:
    async def story(node: FakeNode, sources: PodSources) -> None:
        plain = Pod(pod("plain"))
        sources.on_change(None, plain)
        sources.on_change(None, mirror(static()))
        await node.clock.sleep(5)
        assert await running(node) == ["uid-plain"]
        sources.on_change(plain, None)
        await node.clock.sleep(60)
        assert [*node.workers.pods()] == []

    play(tmp_path, story)


@pytest.mark.parametrize("claim", ["file", "http", "*", ""])
def test_nobody_makes_a_pod_static_by_saying_so(tmp_path: Path, claim: str) -> None:
    """Such a pod would be critical, stay where it may not, and never be reported on."""

    async def story(node: FakeNode, sources: PodSources) -> None:
        claims = Pod(pod("claims", metadata={"annotations": {SOURCE: claim, "a": "b"}}))
        plain = Pod(pod("plain"))
        sources.on_change(None, claims)
        sources.on_change(None, plain)
        known = node.workers.pods()
        assert known["uid-claims"].metadata.annotations == {SOURCE: "api", "a": "b"}
        assert not is_static(known["uid-claims"])
        assert not is_critical(known["uid-claims"])
        assert known["uid-plain"] is plain
        sources.on_change(claims, Pod({**claims.raw, "metadata": {**claims.metadata.raw, "resourceVersion": "2"}}))
        assert not is_static(node.workers.pods()["uid-claims"])
        sources.set("file", [static()])
        assert is_static(node.workers.pods()["1"])

    play(tmp_path, story)


def test_a_pod_that_has_not_changed_is_not_disturbed(tmp_path: Path) -> None:
    async def story(node: FakeNode, sources: PodSources) -> None:
        first = stamped(static(), node.clock.now())
        sources.set("file", [first])
        await node.clock.sleep(5)
        calls = list(node.cri.calls)
        sources.set("file", [stamped(static(), node.clock.now())])
        await node.clock.sleep(60)
        assert node.cri.calls == calls
        assert node.workers.pods()["1"].metadata.annotations == first.metadata.annotations

    play(tmp_path, story)


def test_another_one_of_its_name_waits_until_it_has_ended(tmp_path: Path) -> None:
    async def story(node: FakeNode, sources: PodSources) -> None:
        sources.set("file", [static(terminationGracePeriodSeconds=20)])
        await node.clock.sleep(5)
        sources.set("file", [static(uid="2"), static("other", "3")])
        await node.clock.sleep(10)
        assert await running(node) == ["1", "3"]
        assert [*node.workers.pods()] == ["1", "3"]
        assert [key.name for key in sources.ending()] == ["web"]
        await node.clock.sleep(20)
        assert await running(node) == ["2", "3"]
        assert [*sources.ending()] == []

    play(tmp_path, story)


def test_one_that_comes_back_while_it_ends_is_begun_again(tmp_path: Path) -> None:
    async def story(node: FakeNode, sources: PodSources) -> None:
        sources.set("file", [static(terminationGracePeriodSeconds=20)])
        await node.clock.sleep(5)
        sources.set("file", [])
        await node.clock.sleep(5)
        sources.set("file", [static(terminationGracePeriodSeconds=20)])
        await node.clock.sleep(30)
        assert await running(node) == ["1"]
        assert node.cri.calls.count("create_container app") == 2

    play(tmp_path, story)


def test_one_that_is_gone_before_its_turn_never_runs(tmp_path: Path) -> None:
    async def story(node: FakeNode, sources: PodSources) -> None:
        sources.set("file", [static(terminationGracePeriodSeconds=20)])
        await node.clock.sleep(5)
        sources.set("file", [static(uid="2")])
        sources.set("file", [])
        await node.clock.sleep(60)
        assert [*node.workers.pods()] == []
        assert node.cri.calls.count("create_container app") == 1

    play(tmp_path, story)


def test_a_uid_of_its_own_makes_a_change_an_update(tmp_path: Path) -> None:
    async def story(node: FakeNode, sources: PodSources) -> None:
        sources.set("file", [static()])
        await node.clock.sleep(5)
        sources.set("file", [static(activeDeadlineSeconds=600)])
        await node.clock.sleep(5)
        assert node.workers.pods()["1"].spec.activeDeadlineSeconds == 600
        assert node.cri.calls.count("create_container app") == 1

    play(tmp_path, story)


def test_the_first_of_one_name_is_taken(tmp_path: Path) -> None:
    async def story(node: FakeNode, sources: PodSources) -> None:
        assert [one.metadata.uid for one in sources.set("file", [static(), static(uid="2"), static("b", "3")])] == ["2"]
        await node.clock.sleep(5)
        assert await running(node) == ["1", "3"]

    play(tmp_path, story)


def test_its_worker_sees_the_status_and_the_version_of_the_mirror(tmp_path: Path) -> None:
    async def story(node: FakeNode, sources: PodSources) -> None:
        wanted = static()
        sources.set("file", [wanted])
        before, shown = format_time(1000.0), mirror(wanted, startTime=format_time(1000.0))
        sources.on_change(None, shown)
        seen = node.workers.pods()["1"]
        assert (seen.metadata.uid, seen.metadata.resourceVersion, seen.metadata.generation) == ("1", "5", 1)
        assert seen.status.raw["startTime"] == before
        assert seen.raw["spec"] == wanted.raw["spec"]
        assert sources.mirror_of("1") is shown
        sources.on_change(shown, None)
        assert sources.mirror_of("1") is None
        assert await running(node) == []
        await node.clock.sleep(5)
        assert await running(node) == ["1"]

    play(tmp_path, story)


def test_a_mirror_of_another_version_of_the_pod_is_not_its_own(tmp_path: Path) -> None:
    async def story(node: FakeNode, sources: PodSources) -> None:
        sources.on_change(None, mirror(static(uid="old")))
        sources.set("file", [static()])
        assert sources.mirror_of("1") is None
        assert node.workers.pods()["1"].metadata.resourceVersion == "1"

    play(tmp_path, story)
