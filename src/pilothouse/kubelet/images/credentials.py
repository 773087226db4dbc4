"""Credentials for a registry, from the Secrets that a pod names: pure. API page: "Images", on private registries.

What a Secret is for is a registry's host, in which `*` stands for one part of the name, with or without the beginning
of a path; of several that match, those in reverse alphabetical order come first, so that the longer path wins.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TypeVar

import orjson

from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Secret

T = TypeVar("T")
_DEFAULT = "docker.io"
_DEFAULT_KEY = "index.docker.io"
_OFFICIAL = "library/"


@dataclass(frozen=True, slots=True)
class Owner:
    """A Secret or a ServiceAccount."""

    uid: str
    namespace: str
    name: str

    def literal(self) -> JsonObject:
        """As records have it."""
        return {"uid": self.uid, "namespace": self.namespace, "name": self.name}


@dataclass(frozen=True, slots=True)
class Credential:
    """What to show a registry, and whose it is: a Secret's, a service account's, or else the node's own."""

    auth: JsonObject
    secret: Owner | None = None
    account: Owner | None = None

    @property
    def hash(self) -> str:
        """Of what it says."""
        return hashlib.sha256(orjson.dumps(self.auth, option=orjson.OPT_SORT_KEYS)).hexdigest()


def find_credentials(image: str, secrets: Sequence[Secret]) -> list[Credential]:
    """What to show the registry of `image`, in the order in which to try."""
    known: list[tuple[str, Credential]] = []
    for secret in secrets:
        owner = Owner(secret.metadata.uid, secret.metadata.namespace, secret.metadata.name)
        known += [(place, Credential(auth, secret=owner)) for place, auth in _entries(secret)]
    return choose(image, known)


def choose(image: str, entries: Iterable[tuple[str, T]]) -> list[T]:
    """Of credentials and the places that they are for, those to show the registry of `image`."""
    known = [(_place(where), auth) for where, auth in entries]
    places = sorted({place for place, _ in known}, reverse=True)
    found = [place for place in places if place_matches(place, image)]
    if not found and _is_default(image):
        found = [_DEFAULT_KEY]
    return [auth for wanted in found for place, auth in known if place == wanted]


def split_image(image: str) -> tuple[str, str]:
    """The registry's host and the rest, with what a short name leaves out."""
    first, slash, rest = image.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost" or first != first.lower()):
        host, name = ("docker.io" if first == _DEFAULT_KEY else first), rest
    else:
        host, name = _DEFAULT, image
    return host, name if "/" in name or host != _DEFAULT else f"{_OFFICIAL}{name}"


def repository(image: str) -> str:
    """An image's whole name, without tag and digest."""
    host, rest = split_image(image)
    path = rest.partition("@")[0]
    return f"{host}/{path.rpartition(':')[0] if ':' in path.rpartition('/')[2] else path}"


def _is_default(image: str) -> bool:
    first, slash, _ = image.partition("/")
    return not slash or first in (_DEFAULT, _DEFAULT_KEY) or not ("." in first or ":" in first)


def _entries(secret: Secret) -> Iterator[tuple[str, JsonObject]]:
    """Places and credentials; what cannot be read is left out."""
    kinds = (
        ("kubernetes.io/dockerconfigjson", ".dockerconfigjson", True),
        ("kubernetes.io/dockercfg", ".dockercfg", False),
    )
    for kind, key, nested in kinds:
        if secret.type != kind or key not in secret.data:
            continue
        try:
            content = orjson.loads(base64.b64decode(secret.data[key]))
        except ValueError:
            continue
        entries = (content.get("auths") if nested else content) if isinstance(content, dict) else None
        for where, entry in (entries or {}).items():
            if isinstance(entry, dict) and (auth := _auth(entry)) is not None:
                yield where, auth


def _place(where: str) -> str:
    """Host and path without what says nothing: the scheme, and the version of the registry's API."""
    host, slash, path = where.removeprefix("https://").removeprefix("http://").partition("/")
    path = f"{slash}{path}"
    if path.startswith(("/v1/", "/v2/")):
        path = path[3:]
    return host if path == "/" else f"{host}{path}"


def place_matches(place: str, image: str) -> bool:
    """Whether what is for a place is for an image."""
    own_host, _, own_path = place.partition("/")
    host, _, path = image.partition("/")
    own_name, _, own_port = own_host.partition(":")
    name, _, port = host.partition(":")
    own_parts, parts = own_name.split("."), name.split(".")
    return (
        len(own_parts) == len(parts)
        and all(fnmatchcase(part, own) for own, part in zip(own_parts, parts, strict=True))
        and own_port == port
        and path.startswith(own_path)
    )


def _auth(entry: Mapping[str, str]) -> JsonObject | None:
    username, password = entry.get("username") or "", entry.get("password") or ""
    if encoded := (entry.get("auth") or "").strip():
        try:
            decoded = base64.b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
        except (binascii.Error, UnicodeDecodeError):
            return None
        username, colon, password = decoded.partition(":")
        if not colon:
            return None
    return {"username": username, "password": password, "identity_token": entry.get("identitytoken") or ""}
