"""All volumes of a pod: made at once, and taken away by this kubelet or the next."""

import stat
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, ClassVar

import pytest

from kubelet.harness import FakeMounter, FakeObjects
from kubelet.observing import pod
from kubelet.volumes.setting_up import FACTS, GROUP, Place
from pilothouse.api.machinery.errors import Forbidden
from pilothouse.api.types.core_v1 import Pod, Volume
from pilothouse.kubelet.layout import Layout
from pilothouse.kubelet.pod_volumes import PATIENCE, Volumes
from pilothouse.kubelet.volume import Ground, HostVolume, Ownership, Surroundings, VolumeError, VolumeType
from pilothouse.kubelet.volume_record import VolumeRecord, VolumeRecords
from pilothouse.runtime.clock import Clock
from pilothouse.testing import loop


class Shared(VolumeType):
    """A volume with a life of its own: it is to be let go by what was noted of it."""

    field: ClassVar[str] = "nfs"
    plugin: ClassVar[str] = "nfs"
    released: ClassVar[list[VolumeRecord]] = []
    set_ups: ClassVar[int] = 0
    busy: ClassVar[bool] = False

    async def set_up(self, volume: Volume, around: Surroundings, /) -> HostVolume:
        Shared.set_ups += 1
        around.note(self.plugin, volume.name, {"handle": f"{volume.nfs.server}:{volume.nfs.path}"})
        directory = around.layout.volume(around.pod.metadata.uid, self.plugin, volume.name)
        directory.mkdir(parents=True, exist_ok=True)
        around.mounter.bind(Path("/srv"), directory)
        return HostVolume(directory, read_only=True)

    async def tear_down(self, record: VolumeRecord, ground: Ground, /) -> None:
        if Shared.busy:
            raise VolumeError("device is busy")
        Shared.released.append(record)
        await super().tear_down(record, ground)


class Slow(VolumeType):
    """A volume that takes its time, or for ever."""

    field: ClassVar[str] = "iscsi"
    plugin: ClassVar[str] = "iscsi"
    seconds: ClassVar[float] = 5.0

    async def set_up(self, volume: Volume, around: Surroundings, /) -> Path:
        await around.clock.sleep(self.seconds)
        return Path("/dev/null")

    async def tear_down(self, record: VolumeRecord, ground: Ground, /) -> None:
        await ground.clock.sleep(self.seconds)


class Forbidding(VolumeType):
    """A volume that the API server does not let us have."""

    field: ClassVar[str] = "fc"
    plugin: ClassVar[str] = "fc"

    async def set_up(self, _volume: Volume, _around: Surroundings, /) -> Path:
        raise Forbidden("no relationship found")


@pytest.fixture(autouse=True)
def anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Shared, "released", [])
    monkeypatch.setattr(Shared, "set_ups", 0)
    monkeypatch.setattr(Shared, "busy", False)


class Kubelets:
    """One kubelet after the other on one node: mounts and files stay, memory does not."""

    def __init__(self, root: Path, clock: Clock) -> None:
        self.layout = Layout(root / "kubelet", root / "logs")
        self.mounter = FakeMounter()
        self.clock = clock

    def start(self, *types: type[VolumeType]) -> Volumes:
        return Volumes(types or (Shared, Slow, Forbidding), self.layout, FakeObjects(), self.mounter, self.clock)


def run(root: Path, story: Callable[[Kubelets], Coroutine[Any, Any, None]]) -> None:
    async def main(clock: Clock, _chance: object) -> None:
        await story(Kubelets(root, clock))

    loop.run(main)


def nfs(name: str = "v") -> dict[str, Any]:
    return {"name": name, "nfs": {"server": "s", "path": "/x"}}


def slow(name: str) -> dict[str, Any]:
    return {"name": name, "iscsi": {"lun": 0}}


def test_what_the_node_does_not_offer_is_said(tmp_path: Path) -> None:
    with pytest.raises(VolumeError, match="this node does not offer volumes of type iscsi"):
        Place(tmp_path).set_up(pod(volumes=[slow("v")]))


def test_nothing_is_left(tmp_path: Path) -> None:
    place = Place(tmp_path)
    volumes = [{"name": "a", "emptyDir": {"medium": "Memory"}}, {"name": "b", "emptyDir": {}}]
    made = place.set_up(pod(volumes=volumes))
    words = place.layout.container("uid-web", "app") / "0"
    words.parent.mkdir(parents=True)
    words.write_text("last words")

    async def main(clock: Clock, _chance: object) -> None:
        known = Volumes([], place.layout, place.objects, place.mounter, clock)
        await known.tear_down_volumes("uid-web")
        assert place.mounter.mounted == {}
        assert not made["a"].exists()
        assert words.read_text() == "last words"
        assert [path.name for path in place.layout.pod("uid-web").iterdir()] == ["containers"]
        await known.tear_down("uid-web")
        assert not place.layout.pod("uid-web").exists()
        await known.tear_down("uid-web")

    loop.run(main)


def test_volumes_are_made_at_the_same_time_and_told_in_their_order(tmp_path: Path) -> None:
    async def story(node: Kubelets) -> None:
        began = node.clock.now()
        made = await node.start().set_up(pod(volumes=[slow("b"), slow("a"), nfs("c")]), FACTS)
        assert node.clock.now() - began == pytest.approx(5.0)
        assert list(made) == ["b", "a", "c"]
        assert made["c"].read_only
        assert made["a"] == HostVolume(Path("/dev/null"))

    run(tmp_path, story)


def test_one_that_fails_keeps_no_other_and_all_complaints_are_told(tmp_path: Path) -> None:
    async def story(node: Kubelets) -> None:
        wanted = [{"name": "f", "fc": {"lun": 1}}, nfs(), {"name": "g", "glusterfs": {"path": "p", "endpoints": "e"}}]
        with pytest.raises(VolumeError) as told:
            await node.start().set_up(pod(volumes=wanted), FACTS)
        assert str(told.value) == (
            'MountVolume.SetUp failed for volume "f" : no relationship found; '
            'MountVolume.SetUp failed for volume "g" : this node does not offer volumes of type glusterfs'
        )
        assert node.mounter.is_mounted(node.layout.volume("uid-web", "nfs", "v"))

    run(tmp_path, story)


def test_one_that_takes_for_ever_does_not_keep_the_pod_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Slow, "seconds", 1e6)

    async def story(node: Kubelets) -> None:
        volumes = node.start()
        with pytest.raises(VolumeError) as told:
            await volumes.set_up(pod(volumes=[slow("z"), nfs(), slow("a")]), FACTS)
        assert str(told.value) == (
            "Unable to attach or mount volumes: unmounted volumes=[a z], unattached volumes=[], "
            "failed to process volumes=[]: context deadline exceeded"
        )
        began = node.clock.now()
        with pytest.raises(VolumeError, match=r'failed for volume "a" : context deadline exceeded; .* volume "z"'):
            await volumes.tear_down_volumes("uid-web")
        assert node.clock.now() - began == pytest.approx(PATIENCE)
        assert [record.volume for record in Shared.released] == ["v"]

    run(tmp_path, story)


def test_the_next_kubelet_knows_what_to_let_go(tmp_path: Path) -> None:
    async def story(node: Kubelets) -> None:
        await node.start().set_up(pod(volumes=[nfs()]), FACTS)
        await node.start().set_up(pod(volumes=[nfs()]), FACTS)
        await node.start().tear_down("uid-web")
        (record,) = Shared.released
        assert (record.uid, record.namespace, record.pod, record.volume) == ("uid-web", "default", "web", "v")
        assert record.details == {"handle": "s:/x"}
        assert record.source == nfs()
        assert node.mounter.mounted == {}
        assert not node.layout.pod("uid-web").exists()

    run(tmp_path, story)


def test_what_was_noted_is_there_before_anything_is_mounted(tmp_path: Path) -> None:
    async def story(node: Kubelets) -> None:
        def die(source: Path, target: Path) -> None:
            raise RuntimeError("the end")

        node.mounter.bind = die  # type: ignore[method-assign]
        with pytest.raises(ExceptionGroup):
            await node.start().set_up(pod(volumes=[nfs()]), FACTS)
        (record,) = VolumeRecords(node.layout).of_pod("uid-web")
        assert record.details == {"handle": "s:/x"}

    run(tmp_path, story)


def test_what_cannot_be_let_go_stays_known_and_the_others_go(tmp_path: Path) -> None:
    async def story(node: Kubelets) -> None:
        volumes = node.start()
        kept = node.layout.volume("uid-web", "empty-dir", "old")
        kept.mkdir(parents=True)
        await volumes.set_up(pod(volumes=[nfs()]), FACTS)
        Shared.busy = True
        with pytest.raises(VolumeError, match=r'^UnmountVolume.TearDown failed for volume "v" : device is busy$'):
            await volumes.tear_down("uid-web")
        assert not kept.exists()
        assert node.mounter.is_mounted(node.layout.volume("uid-web", "nfs", "v"))
        Shared.busy = False
        await node.start().tear_down("uid-web")
        assert len(Shared.released) == 1
        assert not node.layout.pod("uid-web").exists()

    run(tmp_path, story)


def test_a_volume_without_a_record_is_known_by_its_path(tmp_path: Path) -> None:
    """A kubelet from before there were records made it, or the power failed while the record was written."""

    async def story(node: Kubelets) -> None:
        for name in ("v", "torn"):
            node.layout.volume("uid-web", "nfs", name).mkdir(parents=True)
        torn = node.layout.volume_record("uid-web", "nfs", "torn")
        torn.mkdir(parents=True)
        (torn / "vol_data.json").write_text('{"kind": "nf')
        await node.start().tear_down("uid-web")
        assert [record.volume for record in Shared.released] == ["torn", "v"]
        assert {record.kind for record in Shared.released} == {""}
        assert not node.layout.pod("uid-web").exists()

    run(tmp_path, story)


def test_sub_paths_go_before_the_volumes_they_show(tmp_path: Path) -> None:
    async def story(node: Kubelets) -> None:
        volumes = node.start()
        await volumes.set_up(pod(volumes=[nfs()]), FACTS)
        part = node.layout.pod("uid-web") / "volume-subpaths/v/app/0"
        part.mkdir(parents=True)
        node.mounter.bind(node.layout.volume("uid-web", "nfs", "v"), part)
        gone: list[Path] = []
        unmount = node.mounter.unmount

        def noting(path: Path, *, lazily: bool = True) -> None:
            gone.append(path)
            unmount(path, lazily=lazily)

        node.mounter.unmount = noting  # type: ignore[method-assign]
        await volumes.tear_down_volumes("uid-web")
        assert gone == [part, node.layout.volume("uid-web", "nfs", "v")]

    run(tmp_path, story)


@pytest.mark.parametrize(("kind", "ours"), [
    ("configMap", True), ("secret", True), ("downwardAPI", True), ("projected", True), ("emptyDir", False),
    ("hostPath", False),
])  # fmt: skip
def test_what_the_kubelet_writes_no_container_does(tmp_path: Path, kind: str, ours: bool) -> None:
    class Plain(VolumeType):
        """Of one kind."""

        field: ClassVar[str] = kind
        plugin: ClassVar[str] = kind.lower()

        async def set_up(self, _volume: Volume, _around: Surroundings, /) -> Path:
            return tmp_path

    async def story(node: Kubelets) -> None:
        made = await node.start(Plain).set_up(pod(volumes=[{"name": "v", kind: {}}]), FACTS)
        assert made == {"v": HostVolume(tmp_path, read_only=ours)}

    run(tmp_path, story)


@pytest.mark.parametrize(("policy", "ownership"), [
    ({}, Ownership.WALK), ({"fsGroupChangePolicy": "Always"}, Ownership.WALK),
    ({"fsGroupChangePolicy": "OnRootMismatch"}, Ownership.ON_ROOT_MISMATCH),
])  # fmt: skip
def test_how_much_is_given_to_the_group_is_the_pods_to_say(policy: dict[str, str], ownership: Ownership) -> None:
    assert Ownership.of(Pod({"spec": {"securityContext": policy}})) is ownership


class Owned(Shared):
    """A volume that is the group's."""

    asked: ClassVar[Ownership] = Ownership.WALK

    async def set_up(self, volume: Volume, around: Surroundings, /) -> HostVolume:
        directory = around.layout.volume(around.pod.metadata.uid, self.plugin, volume.name)
        (directory / "below").mkdir(parents=True, exist_ok=True)
        return HostVolume(directory, fs_group=Owned.asked)


def given(path: Path) -> list[bool]:
    """Whether a volume's root, and what is in it, are the group's."""
    return [bool(one.stat().st_mode & stat.S_ISGID) for one in (path, path / "below")]


@pytest.mark.parametrize(("asked", "group", "root_given", "result"), [
    (Ownership.WALK, True, True, [True, True]), (Ownership.WALK, True, False, [True, True]),
    (Ownership.ON_ROOT_MISMATCH, True, True, [True, False]), (Ownership.ON_ROOT_MISMATCH, True, False, [True, True]),
    (Ownership.NONE, True, False, [False, False]), (Ownership.WALK, False, False, [False, False]),
])  # fmt: skip
def test_a_volume_is_given_to_the_pods_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: Ownership, group: bool, root_given: bool,
    result: list[bool],
) -> None:  # fmt: skip
    monkeypatch.setattr(Owned, "asked", asked)

    async def story(node: Kubelets) -> None:
        directory = node.layout.volume("uid-web", "nfs", "v")
        (directory / "below").mkdir(parents=True)
        directory.chmod(0o2770 if root_given else 0o700)
        context = {"securityContext": {"fsGroup": GROUP}} if group else {}
        await node.start(Owned).set_up(pod(volumes=[nfs()], **context), FACTS)
        assert given(directory) == result

    run(tmp_path, story)


def test_it_is_given_once_in_a_boot_of_the_machine(tmp_path: Path) -> None:
    """What containers do with it afterwards is theirs, also when the kubelet starts again."""

    async def story(node: Kubelets) -> None:
        mine = pod(volumes=[nfs()], securityContext={"fsGroup": GROUP})
        directory = node.layout.volume("uid-web", "nfs", "v")
        for boot, again in (("a", True), ("a", False), ("b", True)):
            volumes = Volumes([Owned], node.layout, FakeObjects(), node.mounter, node.clock, boot_id=boot)
            await volumes.set_up(mine, FACTS)
            assert given(directory) == [again, again]
            for path in (directory, directory / "below"):
                path.chmod(0o700)
            await volumes.set_up(mine, FACTS)
            assert given(directory) == [False, False]

    run(tmp_path, story)
