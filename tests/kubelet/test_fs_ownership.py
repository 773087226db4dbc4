"""What a volume holds is given to a group. Modes: pkg/volume/volume_linux_test.go."""

import os
import stat
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from kubelet.harness import Told
from kubelet.observing import pod
from kubelet.volumes.setting_up import GROUP, mode
from pilothouse.kubelet import fs_ownership
from pilothouse.kubelet.fs_ownership import FsOwnership, Walk, is_given
from pilothouse.runtime.clock import Clock
from pilothouse.testing import loop

OTHER = GROUP + 1 if os.geteuid() == 0 else GROUP
"""A group that files can be given to; without root there is only our own."""


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    found = tmp_path / "uid-web/volumes/kubernetes.io~nfs/v"
    (found / "deep/deeper").mkdir(parents=True)
    (found / "deep/deeper/file").touch(mode=0o600)
    (tmp_path / "outside").touch()
    (tmp_path / "outside").chmod(0o600)
    (found / "deep/out").symlink_to(tmp_path / "outside")
    for path in (found, found / "deep", found / "deep/deeper"):
        path.chmod(0o700)
    return found


@pytest.mark.parametrize(("is_directory", "before", "read_only", "after"), [
    (False, 0o600, False, 0o660), (False, 0o755, False, 0o775), (False, 0o400, True, 0o440),
    (False, 0o4700, False, 0o4760),
    (True, 0o700, False, 0o2770), (True, 0o500, True, 0o2550), (True, 0o2777, False, 0o2777),
])  # fmt: skip
def test_modes(tmp_path: Path, is_directory: bool, before: int, read_only: bool, after: int) -> None:
    path = tmp_path / "it"
    if is_directory:
        path.mkdir()
    else:
        path.touch()
    path.chmod(before)
    Walk(tmp_path, OTHER, read_only=read_only).run()
    assert (mode(path), path.stat().st_gid) == (after, OTHER)


def test_everything_is_given_and_nothing_that_links_lead_to(volume: Path) -> None:
    walk = Walk(volume, OTHER, read_only=False)
    assert walk.run()
    assert walk.count == 5
    assert [mode(volume / path) for path in (".", "deep", "deep/deeper", "deep/deeper/file")] == [
        0o2770, 0o2770, 0o2770, 0o660,
    ]  # fmt: skip
    assert (volume / "deep/out").lstat().st_gid == OTHER
    outside = volume / "deep/out"
    assert (mode(outside), outside.stat().st_gid) == (0o600, GROUP)


@pytest.mark.parametrize(("kind", "permissions", "group", "read_only", "given"), [
    (stat.S_IFDIR, 0o2770, 5, False, True), (stat.S_IFDIR, 0o2775, 5, False, True),
    (stat.S_IFDIR, 0o770, 5, False, False), (stat.S_IFDIR, 0o2750, 5, False, False),
    (stat.S_IFDIR, 0o2770, 6, False, False), (stat.S_IFDIR, 0o2550, 5, True, True),
    (stat.S_IFDIR, 0o2550, 5, False, False), (stat.S_IFREG, 0o2770, 5, False, False),
])  # fmt: skip
def test_the_root_tells_whether_it_was_done(
    kind: int, permissions: int, group: int, read_only: bool, given: bool
) -> None:
    found = os.stat_result((kind | permissions, 0, 0, 1, 0, group, 0, 0, 0, 0))
    assert is_given(found, 5, read_only=read_only) is given


def test_what_cannot_be_listed_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no(*_: object, **__: object) -> None:
        raise PermissionError("no")

    monkeypatch.setattr(os, "scandir", no)
    with pytest.raises(PermissionError):
        Walk(tmp_path, GROUP, read_only=False).run()


class Held(Walk):
    """A walk that waits at its first file."""

    made: "list[Held]" = []  # noqa: RUF012 - each test has its own

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.go_on = threading.Event()
        Held.made.append(self)

    def _change(self, name: str, above: int | None) -> None:
        self.go_on.wait(10)
        super()._change(name, above)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> list[Held]:
    monkeypatch.setattr(Held, "made", [])
    monkeypatch.setattr(fs_ownership, "Walk", Held)
    return Held.made


def run(story: Callable[[FsOwnership, Clock, Told], Coroutine[Any, Any, None]]) -> None:
    async def main(clock: Clock, _chance: object) -> None:
        told = Told()
        await story(FsOwnership(clock, told), clock, told)

    loop.run(main)


@pytest.mark.usefixtures("held")
def test_a_walk_goes_on_when_its_pods_turn_is_over(volume: Path) -> None:
    async def story(ownership: FsOwnership, clock: Clock, _told: Told) -> None:
        with pytest.raises(TimeoutError):
            async with clock.timeout(0):
                await ownership.give(pod(), volume, GROUP, read_only=False)
        Held.made[0].go_on.set()
        await ownership.give(pod(), volume, GROUP, read_only=False)
        assert len(Held.made) == 1
        assert mode(volume) == 0o2770

    run(story)


@pytest.mark.usefixtures("held")
def test_a_walk_ends_with_its_pod(volume: Path) -> None:
    async def story(ownership: FsOwnership, clock: Clock, _told: Told) -> None:
        with pytest.raises(TimeoutError):
            async with clock.timeout(0):
                await ownership.give(pod(), volume, GROUP, read_only=False)
        (walk,) = Held.made
        ownership.stop("another")
        assert not walk.stopped
        ownership.stop("uid-web")
        walk.go_on.set()
        await ownership.stopped("uid-web")
        assert walk.count < 5
        assert mode(volume) == 0o700

    run(story)


def test_a_walk_that_takes_long_is_told_of(volume: Path) -> None:
    async def story(ownership: FsOwnership, clock: Clock, told: Told) -> None:
        walk = Walk(volume, GROUP, read_only=False)
        walk.count = 7
        telling = ownership._tell_of(walk, pod(), volume)
        await clock.sleep(29)
        assert told.events == []
        await clock.sleep(62)
        telling.over()
        await clock.sleep(600)
        where = "Setting volume ownership for uid-web/volumes/kubernetes.io~nfs/v"
        page = "https://kubernetes.io/docs/tasks/configure-pod-container/security-context/"
        part = "#configure-volume-permission-and-ownership-change-policy-for-pods"
        assert [message for _, _, message in told.events] == [
            f"{where} is taking longer than expected, consider using OnRootMismatch - {page}{part}",
            f"{where}, processed 7 files.",
        ]
        assert {event[:2] for event in told.events} == {("Warning", "VolumePermissionChangeInProgress")}

    run(story)
