"""Static pods from a directory and a URL, with and without an API server."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import cast

import yaml

from kubelet.at_work import context
from kubelet.harness import FakeNode, run
from kubelet.static_pods.standing import Away, Poked, Stage, manifest, play
from kubelet.web import answer, web
from pilothouse.client.client import Client
from pilothouse.kubelet.cri.interface import Image
from pilothouse.kubelet.parts.housekeeping import Sweeps
from pilothouse.kubelet.parts.static_pods import StaticPods
from pilothouse.kubelet.pod_sources import API, PodSources
from pilothouse.kubelet.static_pods import config
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock, SystemClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing import loop
from pilothouse.testing.fake_cri import FakeCri


def test_pods_come_change_and_go_with_their_files(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        stage.write(manifest())
        stage.write(manifest("db"), "db.yaml")
        await stage.until_mirror(lambda pod: pod.status.phase == "Running")
        first = await stage.until_mirror(lambda pod: pod.status.phase == "Running", "db-n1")
        stage.write(manifest(containers=[{"name": "other", "image": "app:1"}]))
        changed = await stage.until_mirror(lambda pod: pod.spec.containers[0].name == "other")
        await stage.until_mirror(lambda pod: pod.status.phase == "Running")
        assert changed.metadata.uid not in await stage.running()
        assert len(await stage.running()) == 2
        stage.remove()
        await stage.until_none()
        assert (await stage.running()) == [first.metadata.annotations["kubernetes.io/config.hash"]]

    play(tmp_path, story)


def test_a_name_that_is_taken_is_told_of(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        stage.write(manifest(), "a.yaml")
        stage.write(manifest(), "b.yaml")
        await stage.until_mirror(lambda pod: pod.status.phase == "Running")
        assert len(await stage.running()) == 1
        (message,) = {text for _, reason, text in stage.node.told.events if reason == "FailedValidation"}
        assert message.startswith("Error validating pod web-n1_default(")
        assert message.endswith(') from file due to duplicate pod name "web-n1", ignoring')

    play(tmp_path, story)


def test_they_run_though_the_api_server_has_told_nothing(tmp_path: Path) -> None:
    directory = tmp_path / "manifests"
    directory.mkdir()
    (directory / "web.yaml").write_text(yaml.safe_dump(manifest()))

    async def story(node: FakeNode) -> None:
        sources = PodSources(("file",))
        sources.feed(node.workers)
        async with Tasks() as tasks:
            work = context(node, tasks, cast("Client", Away()), static_pods=config.StaticPods(path=directory))
            tasks.spawn(Poked().run(replace(work, sources=sources)), name="part")
            await node.clock.sleep(5)
            assert [one.name for one in await node.cri.containers()] == ["app"]
            assert not sources.is_complete
            tasks.cancel_all()

    run(tmp_path, story)


def test_a_kubelet_that_starts_again_finds_them_and_sweeps_none_away(tmp_path: Path) -> None:
    directory = tmp_path / "manifests"
    directory.mkdir()
    (directory / "web.yaml").write_text(yaml.safe_dump(manifest()))

    async def main(clock: LoopClock, _chance: Chance) -> None:
        cri = FakeCri(clock, present={"app:1": Image("sha256:app", ("app:1",))})

        async def kubelet() -> list[str]:
            """Live for some minutes; the containers then."""
            async with Tasks() as tasks:
                node, sources = FakeNode(tmp_path, clock, tasks, cri=cri), PodSources(("file",))
                sources.feed(node.workers)
                static = config.StaticPods(path=directory)
                work = replace(context(node, tasks, cast("Client", Away()), static_pods=static), sources=sources)
                for part in (Poked(), Sweeps()):
                    tasks.spawn(part.run(work), name=part.name)
                sources.seen(API)
                await clock.sleep(150)
                tasks.cancel_all()
            return [one.id for one in await cri.containers()]

        first = await kubelet()
        assert len(first) == 1
        assert await kubelet() == first
        assert cri.calls.count("run_sandbox") == 1
        (directory / "web.yaml").unlink()
        assert await kubelet() == []

    loop.run(main)


def test_they_come_from_a_url_too(tmp_path: Path) -> None:
    clock = SystemClock()

    async def main() -> None:
        async with web({"/": answer(200, yaml.safe_dump(manifest()))}) as server, Tasks() as tasks:
            node, sources = FakeNode(tmp_path, clock, tasks), PodSources(("http",))
            sources.feed(node.workers)
            work = context(
                node,
                tasks,
                cast("Client", Away()),
                static_pods=config.StaticPods(url=f"http://127.0.0.1:{server.port}/"),
            )
            tasks.spawn(StaticPods().run(replace(work, sources=sources)), name="part")
            async with clock.timeout(20):
                while not await node.cri.containers():
                    await clock.sleep(0.01)
            (pod,) = node.workers.pods().values()
            assert pod.metadata.annotations["kubernetes.io/config.source"] == "http"
            assert "kubernetes.io/config.seen" in pod.metadata.annotations
            tasks.cancel_all()

    asyncio.run(main())
