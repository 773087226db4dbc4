"""Which credential is for which image, as upstream's credentialprovider keyring has it."""

import base64
import json

import pytest

from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Secret
from pilothouse.kubelet.images.credentials import find_credentials, split_image


def secret(*places: str, legacy: bool = False, raw: bytes | None = None) -> Secret:
    """Credentials whose user is called by the place."""
    auths: JsonObject = {place: {"username": place, "password": "p"} for place in places}
    content = json.dumps(auths if legacy else {"auths": auths}).encode() if raw is None else raw
    kind = "dockercfg" if legacy else "dockerconfigjson"
    return Secret({"type": f"kubernetes.io/{kind}", "data": {f".{kind}": base64.b64encode(content).decode()}})


def users(image: str, *secrets: Secret) -> list[str]:
    return [one.auth["username"] for one in find_credentials(image, secrets)]


@pytest.mark.parametrize(("place", "image", "matches"), [
    ("r.example", "r.example/x:1", True),
    ("r.example", "r.example/team/x@sha256:0", True),
    ("r.example", "other.example/x", False),
    ("r.example", "r.example:5000/x", False),
    ("r.example:5000", "r.example:5000/x", True),
    ("https://r.example", "r.example/x", True),
    ("http://r.example", "r.example/x", True),
    ("https://r.example/v1/", "r.example/x", True),
    ("https://r.example/v2/team", "r.example/team/x", True),
    ("r.example/team", "r.example/team/x", True),
    ("r.example/team", "r.example/other/x", False),
    ("r.example/te", "r.example/team/x", True),
    ("*.example", "r.example/x", True),
    ("*.example", "a.r.example/x", False),
    ("*.*.example", "a.r.example/x", True),
    ("r*.example", "r1.example/x", True),
    ("*.example:5000", "r.example:5000/x", True),
    ("https://index.docker.io/v1/", "box:1", True),
    ("https://index.docker.io/v1/", "team/box:1", True),
    ("https://index.docker.io/v1/", "docker.io/library/box", True),
    ("https://index.docker.io/v1/", "r.example/x", False),
    ("https://index.docker.io/v1/", "localhost:5000/x", False),
    ("docker.io", "docker.io/library/box", True),
])  # fmt: skip
def test_places(place: str, image: str, matches: bool) -> None:
    assert users(image, secret(place)) == ([place] if matches else [])


def test_the_longer_path_is_tried_first_and_all_are() -> None:
    several = secret("r.example", "r.example/team", "*.example")
    assert users("r.example/team/x", several) == ["r.example/team", "r.example", "*.example"]
    assert users("r.example/x", secret("r.example"), secret("r.example", legacy=True)) == ["r.example"] * 2


def test_the_default_registrys_is_for_images_that_nothing_else_is_for() -> None:
    both = secret("docker.io/team", "https://index.docker.io/v1/")
    assert users("docker.io/team/x", both) == ["docker.io/team"]
    assert users("docker.io/other/x", both) == ["https://index.docker.io/v1/"]


def encoded(entry: JsonObject) -> Secret:
    return secret(raw=json.dumps({"auths": {"r.example": entry}}).encode())


@pytest.mark.parametrize(("entry", "expected"), [
    ({"username": "u", "password": "p"}, ("u", "p")),
    ({"auth": base64.b64encode(b"u:p:q").decode()}, ("u", "p:q")),
    ({"auth": base64.b64encode(b"u:p").decode().rstrip("=")}, ("u", "p")),
    ({"username": "x", "password": "y", "auth": base64.b64encode(b"u:p").decode()}, ("u", "p")),
    ({"auth": base64.b64encode(b"nocolon").decode()}, None),
    ({"auth": "%%%"}, None),
    ({"auth": "/w=="}, None),
])  # fmt: skip
def test_how_they_are_written(entry: JsonObject, expected: tuple[str, str] | None) -> None:
    found = [(one.auth["username"], one.auth["password"]) for one in find_credentials("r.example/x", [encoded(entry)])]
    assert found == ([expected] if expected else [])


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"{}", b'{"auths": null}', b'{"auths": {"r.example": null}}'])
def test_what_cannot_be_read_says_nothing(raw: bytes) -> None:
    assert find_credentials("r.example/x", [secret(raw=raw)]) == []


def test_other_secrets_say_nothing() -> None:
    assert find_credentials("r.example/x", [Secret({"type": "Opaque", "data": {".dockerconfigjson": "e30="}})]) == []


@pytest.mark.parametrize(("image", "expected"), [
    ("box", ("docker.io", "library/box")),
    ("team/box:1", ("docker.io", "team/box:1")),
    ("docker.io/box", ("docker.io", "library/box")),
    ("index.docker.io/team/box", ("docker.io", "team/box")),
    ("r.example/x/y", ("r.example", "x/y")),
    ("r.example/x", ("r.example", "x")),
    ("localhost/x", ("localhost", "x")),
    ("host:5000/x:1", ("host:5000", "x:1")),
])  # fmt: skip
def test_what_a_short_name_leaves_out(image: str, expected: tuple[str, str]) -> None:
    assert split_image(image) == expected
