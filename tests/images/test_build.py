"""Builds, by the real buildah: an archive with one image under its name, and clear words for what cannot be built."""

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from pilothouse.images.build import BuildError, build

NAME = "docker.io/library/made:1"


def test_an_archive_holds_the_image_under_its_name(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "Dockerfile").write_text("FROM scratch\nCOPY --from=more file /file\nENV A=b\n")
    more = tmp_path / "more"
    more.mkdir()
    (more / "file").write_text("content")
    archive = tmp_path / "image.tar"
    build(NAME, source, archive, tmp_path / "storage", {"more": more})
    with tarfile.open(archive) as tar:
        member = tar.extractfile("index.json")
        assert member is not None
        index = json.load(member)
    assert [each["annotations"]["org.opencontainers.image.ref.name"] for each in index["manifests"]] == [NAME]


def test_a_build_argument_changes_the_image(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\nARG VERSION=0\nENV VERSION=$VERSION\n")
    for version in ("1", "2"):
        archive = tmp_path / f"{version}.tar"
        build(NAME, source, archive, tmp_path / "storage", arguments=[f"VERSION={version}"])
        assert f"VERSION={version}" in environment(archive)


def environment(archive: Path) -> list[str]:
    """What the one image of an archive sets."""

    def blob(descriptor: dict[str, str]) -> Any:
        member = tar.extractfile(f"blobs/{descriptor['digest'].replace(':', '/')}")
        assert member is not None
        return json.load(member)

    with tarfile.open(archive) as tar:
        index = tar.extractfile("index.json")
        assert index is not None
        manifest = blob(json.load(index)["manifests"][0])
        found: list[str] = blob(manifest["config"])["config"]["Env"]
    return found


@pytest.mark.parametrize(
    ("dockerfile", "words"),
    [(None, "no Dockerfile in"), ("FROM scratch\nNONSENSE\n", "buildah bud failed with status")],
)
def test_what_cannot_be_built(tmp_path: Path, dockerfile: str | None, words: str) -> None:
    source = tmp_path / "source"
    source.mkdir()
    if dockerfile is not None:
        (source / "Dockerfile").write_text(dockerfile)
    with pytest.raises(BuildError, match=words):
        build(NAME, source, tmp_path / "image.tar", tmp_path / "storage")
    assert not (tmp_path / "image.tar").exists()
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text()


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="is not a directory"):
        build(NAME, tmp_path / "absent", tmp_path / "image.tar", tmp_path / "storage")
