"""What is asked of a registry when an image is pulled."""

import hashlib
import json
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from contract_images.archive import Image, Layer, write
from contract_images.registry import Content, serve, stand_in_for


@pytest.fixture
def content(tmp_path: Path) -> Content:
    """Two images, of which one is served."""
    one, two = Layer(), Layer()
    one.file("/one", "1")
    two.file("/two", "2")
    write({"r.example/team/a:1": Image([one]), "r.example/team/b:1": Image([two])}, tmp_path / "archive.tar")
    return Content.read(tmp_path / "archive.tar", "r.example/team/a:1")


def test_an_image_is_pulled_piece_by_piece(content: Content) -> None:
    with serve(content) as url:
        with urlopen(f"{url}/v2/") as answer:
            assert answer.status == 200
        with urlopen(Request(f"{url}/v2/team/a/manifests/1?ns=r.example", method="HEAD")) as answer:
            digest = answer.headers["Docker-Content-Digest"]
            assert answer.headers["Content-Type"] == "application/vnd.oci.image.manifest.v1+json"
            assert (int(answer.headers["Content-Length"]) > 0, answer.read()) == (True, b"")
        with urlopen(f"{url}/v2/team/a/manifests/{digest}") as answer:
            body = answer.read()
        assert f"sha256:{hashlib.sha256(body).hexdigest()}" == digest
        manifest = json.loads(body)
        for part in (manifest["config"], *manifest["layers"]):
            with urlopen(f"{url}/v2/team/a/blobs/{part['digest']}?ns=r.example") as answer:
                assert f"sha256:{hashlib.sha256(answer.read()).hexdigest()}" == part["digest"]


@pytest.mark.parametrize("path", ["team/b/manifests/1", "team/a/manifests/2", "team/a/blobs/sha256:0", "team/a/tags"])
def test_what_is_not_there(content: Content, path: str) -> None:
    with serve(content) as url, pytest.raises(HTTPError, match="404"):
        urlopen(f"{url}/v2/{path}")


def test_a_blob_is_no_manifest(content: Content) -> None:
    layer = next(digest for digest in content.blobs if digest not in content.kinds)
    assert content.find(f"/v2/team/a/manifests/{layer}") is None


def test_containerd_is_told_where_to_ask(tmp_path: Path) -> None:
    stand_in_for("r.example", "http://127.0.0.1:5000", tmp_path)
    assert (tmp_path / "r.example" / "hosts.toml").read_text().splitlines() == [
        'server = "https://r.example"', '[host."http://127.0.0.1:5000"]', 'capabilities = ["pull", "resolve"]',
    ]  # fmt: skip
