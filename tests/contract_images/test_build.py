"""The archive holds every image that the tests name, and the programs in it run."""

import json
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from contract import images
from contract_images import build, interpreter
from contract_images.archive import Image, Layer, write
from contract_images.build import build_all

NAMES = {value for name, value in vars(images).items() if name.isupper() and not name.startswith("_")}


def _read(archive: Path) -> Mapping[str, tuple[dict[str, Any], list[bytes]]]:
    """The configuration and the layers of each image."""
    with tarfile.open(archive) as tar:
        files = {member.name: tar.extractfile(member) for member in tar}
        content = {name: file.read() for name, file in files.items() if file is not None}

    def blob(described: dict[str, Any]) -> bytes:
        found = content["blobs/" + described["digest"].replace(":", "/")]
        assert len(found) == described["size"]
        return found

    made = {}
    for described in json.loads(content["index.json"])["manifests"]:
        manifest = json.loads(blob(described))
        config = json.loads(blob(manifest["config"]))
        assert config["rootfs"]["diff_ids"] == [layer["digest"] for layer in manifest["layers"]]
        made[described["annotations"]["io.containerd.image.name"]] = config["config"], [*map(blob, manifest["layers"])]
    return made


def test_images_share_layers_and_say_how_they_start(tmp_path: Path) -> None:
    base, top = Layer(), Layer()
    base.file("/bin/one", "text", 0o4755)
    base.directory("/tmp", 0o1777)
    top.link("/usr/bin/two", "/bin/one")
    write({"a:1": Image([base]), "b:1": Image([base, top], ["/x"], ["y"], "7", [80])}, tmp_path / "archive.tar")
    made = _read(tmp_path / "archive.tar")
    assert made["a:1"][1][0] == made["b:1"][1][0]
    assert "User" not in made["a:1"][0]
    start = made["b:1"][0]
    assert (start["Entrypoint"], start["Cmd"], start["User"], start["ExposedPorts"]) == (
        ["/x"],
        ["y"],
        "7",
        {"80/tcp": {}},
    )
    (tmp_path / "layer").write_bytes(made["a:1"][1][0])
    with tarfile.open(tmp_path / "layer") as tar:
        assert [(each.name, each.mode) for each in tar] == [("bin", 0o755), ("bin/one", 0o4755), ("tmp", 0o1777)]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, tuple[dict[str, Any], list[bytes]]]:
    made: list[Mapping[str, tuple[dict[str, Any], list[bytes]]]] = []
    try:
        build_all(lambda archive: made.append(_read(archive)))
    except FileNotFoundError as error:
        pytest.skip(str(error))
    return made[0]


def test_every_image_that_the_suite_names_is_there(built: Mapping[str, tuple[dict[str, Any], list[bytes]]]) -> None:
    assert {*built} == NAMES
    assert built[images.AGNHOST][0]["Cmd"] == ["pause"]
    assert built[images.NON_ROOT][0]["User"] == "1234"


def test_the_interpreter_in_the_image_finds_all_that_it_needs(
    built: Mapping[str, tuple[dict[str, Any], list[bytes]]], tmp_path: Path
) -> None:
    root = tmp_path / "root"
    for at, layer in enumerate(built[images.AGNHOST][1]):
        (tmp_path / f"{at}").write_bytes(layer)
        with tarfile.open(tmp_path / f"{at}") as tar:
            tar.extractall(root, filter="fully_trusted")
    command = ["unshare", "--user", "--map-root-user", "--root", str(root), "/agnhost-2"]
    done = subprocess.run([*command, "entrypoint-tester", "x"], capture_output=True, text=True, check=False)
    if "unshare failed" in done.stderr:
        pytest.skip("no user namespaces here")
    assert (done.stdout, done.stderr) == ("[/agnhost-2 entrypoint-tester x]\n", "")
    seen = subprocess.run([*command, "mounttest", "--file_perm=/tmp"], capture_output=True, text=True, check=False)
    assert (seen.stdout, seen.stderr) == ('perms of file "/tmp": -rwxrwxrwx\n', "")
    failed = subprocess.run([*command, "netexec", "--udp-port=x"], capture_output=True, text=True, check=False)
    assert failed.stderr.startswith("Error: invalid argument"), failed.stderr


def test_the_program_that_may_become_root_says_so_in_its_mode() -> None:
    """Else the test of containers that may not gain privileges would pass whatever they may."""
    modes = {path: entry.mode for path, (entry, _) in build.set_user_id().entries.items()}
    assert [path for path, mode in modes.items() if mode == 0o4755] == [
        str(interpreter.executable().with_name("python3-as-root"))
    ]
