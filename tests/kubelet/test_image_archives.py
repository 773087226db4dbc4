"""Archives of images in a directory."""

import asyncio
from pathlib import Path

from pilothouse.kubelet.containerd import RuntimeMissing
from pilothouse.kubelet.image_archives import load_archives


def test_all_archives_are_loaded_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("c.tar", "a.tar", "b.tar", "notes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "d.tar").mkdir()
    loaded = []

    async def load(archive: Path) -> None:
        loaded.append(archive.name)
        if archive.name == "a.tar":
            raise RuntimeMissing("unrecognized image format")

    asyncio.run(load_archives(tmp_path, load))
    assert loaded == ["a.tar", "b.tar", "c.tar"]


def test_a_directory_that_is_not_there_has_none(tmp_path: Path) -> None:
    async def load(archive: Path) -> None:
        raise AssertionError(archive)

    asyncio.run(load_archives(tmp_path / "none", load))
