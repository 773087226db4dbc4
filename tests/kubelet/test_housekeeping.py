"""What is left of pods that nobody knows is removed; what belongs to known ones stays."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from kubelet.harness import FakeCgroups, FakeMounter, FakeNode, FakeObjects, pod, run
from pilothouse.api.types.core_v1 import Volume
from pilothouse.kubelet.cri.interface import Container, ContainerState, CriError, CriUnavailable, Sandbox
from pilothouse.kubelet.housekeeping import Housekeeping, leftovers
from pilothouse.kubelet.pod_volumes import Volumes
from pilothouse.kubelet.volume import Ground, Surroundings, VolumeError, VolumeType
from pilothouse.kubelet.volume_record import VolumeRecord
from pilothouse.testing.fake_cri import FakeCri


def box(name: str, attempt: int = 0, *, ready: bool = False, made: float = 0.0) -> Sandbox:
    return Sandbox(f"{name}{attempt}", name, "default", name, attempt, ready, made)


def container(of: str, name: str = "app", **labels: str) -> Container:
    return Container(f"{of}/{name}", of, name, 0, ContainerState.EXITED, 0.0, labels=labels)


@pytest.mark.parametrize(
    ("sandboxes", "containers", "spent"),
    [
        ([box("a", 1, ready=True), box("a", 0)], [], ["a0"]),
        ([box("a", 1), box("a", 0)], [], ["a0"]),  # the newest stays, dead or alive
        ([box("a", 0)], [], []),
        ([box("a", 2, ready=True), box("a", 1), box("a", 0)], [container("a1")], ["a0"]),
        ([box("a", 1), box("a", 0, ready=True)], [], []),  # that it runs on is its worker's business
        ([box("a", 0, made=2.0), Sandbox("old", "a", "default", "a", 0, False, 1.0)], [], ["old"]),
        ([box("a", 1), box("b", 0)], [], []),
    ],
)
def test_dead_empty_sandboxes_with_a_successor_are_spent(
    sandboxes: list[Sandbox], containers: list[Container], spent: list[str]
) -> None:
    found = leftovers(sandboxes, containers, {"a", "b"})
    assert [one.id for one in found.spent] == spent
    assert not found.strangers


def test_strangers_are_found_by_their_sandboxes_and_by_containers_that_lost_theirs() -> None:
    containers = [container("a0"), container("b0"), container("gone", **{"io.kubernetes.pod.uid": "c"}),
                  container("lost", **{"io.kubernetes.pod.uid": "a"})]  # fmt: skip
    found = leftovers([box("a"), box("b", ready=True)], containers, {"a"})
    assert {uid: ([one.id for one in of.sandboxes], [one.id for one in of.containers])
            for uid, of in found.strangers.items()} == {"b": (["b0"], ["b0/app"]), "c": ([], ["gone/app"])}  # fmt: skip
    assert found.spent == ()


def test_what_is_no_pods_is_not_ours_to_end() -> None:
    nameless = Sandbox("s", "", "", "", 0, ready=True, created_at=1.0)
    found = leftovers([nameless], [container("s"), container("none")], {"a"})
    assert not found.strangers
    assert found.spent == ()


def housekeeping(node: FakeNode, cri: FakeCri, cgroups: FakeCgroups, *types: type[VolumeType]) -> Housekeeping:
    mounter = FakeMounter()
    volumes = Volumes(types, node.layout, FakeObjects(), mounter, node.clock)
    return Housekeeping(cri, volumes, cgroups, mounter, node.layout)


def test_strangers_go_and_known_pods_stay(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        for name in ("web", "gone"):
            node.add(pod(name))
        await node.until(lambda: all(node.state(name).get("ready") for name in ("web", "gone")))
        cgroups = FakeCgroups({"uid-web", "uid-gone"})
        node.layout.log_links.mkdir()
        (node.layout.log_links / "gone_default_app-0123456789.log").symlink_to(tmp_path / "logs" / "none.log")
        (node.layout.logs / "syslog").touch()
        (node.layout.logs / "of_others").mkdir()
        assert await housekeeping(node, node.cri, cgroups).sweep(lambda: {"uid-web"})
        assert [sandbox.uid for sandbox in await node.cri.sandboxes()] == ["uid-web"]
        assert cgroups.present == {"uid-web"}
        assert [place.name for place in node.layout.pods.iterdir()] == ["uid-web"]
        kept = {place.name for place in node.layout.logs.iterdir()}
        assert kept == {"default_web_uid-web", "of_others", "syslog"}, "whatever is no pod's is somebody else's"
        assert list(node.layout.log_links.iterdir()) == []

    run(tmp_path, story)


class BusyCri(FakeCri):
    """A runtime that does not answer the first time."""

    asked = 0

    async def sandboxes(self, uid: str = "") -> list[Sandbox]:
        self.asked += 1
        if self.asked == 1:
            raise CriUnavailable("UNAVAILABLE", "starting")
        return await super().sandboxes(uid)


def test_while_the_runtime_does_not_answer_nothing_is_touched(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.layout.volume("uid-b", "empty-dir", "v").mkdir(parents=True)
        keeper = housekeeping(node, BusyCri(node.clock), FakeCgroups({"uid-b"}))
        assert not await keeper.sweep(set)
        assert node.layout.pod("uid-b").exists()
        assert await keeper.sweep(set)
        assert not node.layout.pod("uid-b").exists()

    run(tmp_path, story)


class StubbornCri(FakeCri):
    """A runtime that cannot stop one pod's containers."""

    async def stop_container(self, container_id: str, timeout: float) -> None:
        if self._containers[container_id].labels["io.kubernetes.pod.uid"] == "uid-stuck":
            raise CriError("UNKNOWN", "no")
        await super().stop_container(container_id, timeout)


def test_a_pod_that_cannot_be_ended_keeps_its_files_and_nobody_waiting(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        cri = StubbornCri(node.clock)
        for name in ("stuck", "gone"):
            uid = f"uid-{name}"
            labels = {"io.kubernetes.pod.uid": uid}
            config = {"metadata": {"name": name, "namespace": "default", "uid": uid, "attempt": 0}, "labels": labels,
                      "annotations": {}, "linux": {"security_context": {"namespace_options": {"network": 0}}},
                      "image": {"image": "i"}, "log_path": "0.log", "log_directory": str(tmp_path)}  # fmt: skip
            await cri.start_container(await cri.create_container(await cri.run_sandbox(config), config, config))
            node.layout.volume(uid, "empty-dir", "v").mkdir(parents=True)
            node.layout.pod_logs("default", name, uid).mkdir(parents=True)
        cgroups = FakeCgroups({"uid-stuck", "uid-gone"})
        assert not await housekeeping(node, cri, cgroups).sweep(set)
        assert [one.uid for one in await cri.sandboxes()] == ["uid-stuck"]
        assert [place.name for place in node.layout.pods.iterdir()] == ["uid-stuck"]
        assert [place.name for place in node.layout.logs.iterdir()] == ["default_stuck_uid-stuck"]
        assert cgroups.present == {"uid-stuck"}

    run(tmp_path, story)


def test_strangers_have_the_time_that_they_were_promised(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        for name, grace in (("a", 7), ("b", 12)):
            node.add(pod(name, terminationGracePeriodSeconds=grace))
        await node.until(lambda: all(node.state(name).get("ready") for name in "ab"))
        node.cri.calls.clear()
        await housekeeping(node, node.cri, FakeCgroups()).sweep(set)
        assert [call for call in node.cri.calls if "stop_container" in call] == [
            "stop_container app 7", "stop_container app 12",
        ]  # fmt: skip

    run(tmp_path, story)


def test_a_pod_that_begins_meanwhile_is_left_alone(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        asked: list[str] = []

        def known() -> Collection[str]:
            """Asked late enough: what the pod has was listed before."""
            asked.append("")
            return node.workers.pods()

        node.add(pod())
        await node.until(lambda: bool(node.state().get("ready")))
        cgroups = FakeCgroups({"uid-web"})
        assert await housekeeping(node, node.cri, cgroups).sweep(known)
        assert len(asked) > 3
        assert node.cri.calls.count("stop_sandbox") == 0
        assert node.layout.pod("uid-web").exists()
        assert cgroups.present == {"uid-web"}

    run(tmp_path, story)


class Stuck(VolumeType):
    """A volume whose driver has not come yet."""

    field: ClassVar[str] = "csi"
    plugin: ClassVar[str] = "csi"

    async def set_up(self, _volume: Volume, _around: Surroundings, /) -> Path:
        return Path("/")

    async def tear_down(self, _record: VolumeRecord, _ground: Ground, /) -> None:
        raise VolumeError("driver not found")


def test_a_volume_that_cannot_go_keeps_nobody_waiting(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        stuck = node.layout.volume("uid-a", "csi", "v")
        stuck.mkdir(parents=True)
        node.layout.volume("uid-b", "empty-dir", "v").mkdir(parents=True)
        assert not await housekeeping(node, node.cri, FakeCgroups(), Stuck).sweep(set)
        assert [place.name for place in node.layout.pods.iterdir()] == ["uid-a"]
        assert stuck.exists()

    run(tmp_path, story)


class Slow(Stuck):
    """A volume that takes its time to go."""

    async def tear_down(self, record: VolumeRecord, ground: Ground, /) -> None:
        await ground.clock.sleep(100)
        raise VolumeError("driver not found")


def test_volumes_that_take_their_time_take_it_together(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        for name in ("a", "b", "c"):
            node.layout.volume(f"uid-{name}", "csi", "v").mkdir(parents=True)
        began = node.clock.monotonic()
        assert not await housekeeping(node, node.cri, FakeCgroups(), Slow).sweep(set)
        assert node.clock.monotonic() - began < 110

    run(tmp_path, story)


class Mounted(FakeMounter):
    """Somebody has mounted something that no record tells of."""

    def remove_tree(self, path: Path) -> None:
        if path.name == "uid-a":
            raise OSError(16, "still mounted")
        super().remove_tree(path)


def test_a_foreign_mount_keeps_one_directory_and_nothing_else(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        mounter = Mounted()
        for uid in ("uid-a", "uid-b"):
            node.layout.volume(uid, "empty-dir", "v").mkdir(parents=True)
            node.layout.pod_logs("default", "web", uid).mkdir(parents=True)
        volumes = Volumes((), node.layout, FakeObjects(), mounter, node.clock)
        keeper = Housekeeping(node.cri, volumes, FakeCgroups(), mounter, node.layout)
        assert not await keeper.sweep(set)
        assert [place.name for place in node.layout.pods.iterdir()] == ["uid-a"]
        assert [*node.layout.logs.iterdir()] == []

    run(tmp_path, story)


@pytest.mark.parametrize("what", ["pods", "logs"])
def test_a_directory_that_cannot_be_read_keeps_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:  # fmt: skip
    async def story(node: FakeNode) -> None:
        node.layout.volume("uid-a", "empty-dir", "v").mkdir(parents=True)
        node.layout.pod_logs("default", "web", "uid-a").mkdir(parents=True)
        broken = getattr(node.layout, what)
        listed = Path.iterdir

        def listing(place: Path) -> Iterator[Path]:
            if place == broken:
                raise OSError(5, "Input/output error")
            return listed(place)

        cgroups = FakeCgroups({"uid-a"})
        keeper = housekeeping(node, node.cri, cgroups)
        with monkeypatch.context() as patched:
            patched.setattr(Path, "iterdir", listing)
            assert not await keeper.sweep(set)
        left = {"pods": node.layout.pods, "logs": node.layout.logs}
        assert [name for name, place in left.items() if list(place.iterdir())] == [what]
        assert not cgroups.present
        assert await keeper.sweep(set)

    run(tmp_path, story)


@pytest.mark.parametrize(("told", "seconds"), [("7", "7"), ("\u00b2", "30"), ("-1", "30"), ("9" * 400, "inf")])
def test_a_stranger_has_the_time_that_it_was_given(tmp_path: Path, told: str, seconds: str) -> None:
    async def story(node: FakeNode) -> None:
        cri, meta = FakeCri(node.clock), {"name": "app", "namespace": "default", "uid": "uid-gone", "attempt": 0}
        config = {"metadata": meta, "labels": {"io.kubernetes.pod.uid": "uid-gone"},
                  "annotations": {"io.kubernetes.pod.terminationGracePeriod": told}, "image": {"image": "i"},
                  "linux": {"security_context": {"namespace_options": {"network": 0}}},
                  "log_path": "0.log", "log_directory": str(tmp_path)}  # fmt: skip
        await cri.start_container(await cri.create_container(await cri.run_sandbox(config), config, config))
        assert await housekeeping(node, cri, FakeCgroups()).sweep(set)
        assert f"stop_container app {seconds}" in cri.calls

    run(tmp_path, story)
