"""How layers become one directory. What works is tried with containerd, in the kubelet's tests."""

from pathlib import Path

import pytest

from pilothouse.linux.image_mount import mount_command, mount_layers
from pilothouse.runtime.clock import LoopClock
from pilothouse.testing import loop


def test_one_layer_is_shown_as_it_is() -> None:
    assert mount_command([Path("/s/7/fs")], Path("/t")) == (
        ["mount", "-o", "bind,ro,noexec", "--", "/s/7/fs", "/t"],
        Path("/"),
    )


def test_many_layers_fit_into_a_page() -> None:
    """Of 127 layers, the most that there can be, in a directory as long as the kubelet's."""
    place = Path("/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots")
    command, beside = mount_command([place / str(number) / "fs" for number in range(99_873, 100_000)], Path("/t"))
    assert beside == place
    assert command[4].startswith("ro,noexec,lowerdir=99873/fs:99874/fs:")
    assert len(command[4]) < 4096
    assert command[5:] == ["--", "overlay", "/t"]


def test_what_mount_says_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mount").write_text("#!/bin/sh\necho not today >&2\nexit 32\n")
    (tmp_path / "mount").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    async def main(clock: LoopClock, _chance: object) -> None:
        with pytest.raises(OSError, match="mount failed: exit status 32: not today"):
            await mount_layers([tmp_path / "1", tmp_path / "2"], tmp_path, clock)

    loop.run(main)
