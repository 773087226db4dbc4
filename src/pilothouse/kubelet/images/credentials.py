"""Credentials for a registry, from the Secrets that a pod names: pure. API page: "Images", on private registries."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

import orjson

from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Secret

_DEFAULT_REGISTRY = "docker.io"
_DEFAULT_ALIASES = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})


def find_credentials(image: str, secrets: Sequence[Secret]) -> JsonObject | None:
    """What to show the registry of `image`: of all that match, the one for the longest path."""
    host, path = _split(image)
    matches = [
        (len(where), entry) for secret in secrets for where, entry in _entries(secret) if _matches(where, host, path)
    ]
    if not matches:
        return None
    _, entry = max(matches, key=lambda match: match[0])
    return _auth(entry)


def _split(image: str) -> tuple[str, str]:
    first, slash, rest = image.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return first, rest
    return _DEFAULT_REGISTRY, image if slash else f"library/{image}"


def _entries(secret: Secret) -> Iterator[tuple[str, Mapping[str, str]]]:
    kinds = (
        ("kubernetes.io/dockerconfigjson", ".dockerconfigjson", True),
        ("kubernetes.io/dockercfg", ".dockercfg", False),
    )
    for kind, key, nested in kinds:
        if secret.type == kind and key in secret.data:
            try:
                content = orjson.loads(base64.b64decode(secret.data[key]))
            except ValueError:
                continue
            yield from ((content.get("auths") or {}) if nested else content).items()


def _matches(where: str, host: str, path: str) -> bool:
    bare = where.removeprefix("https://").removeprefix("http://").rstrip("/")
    own_host, _, own_path = bare.partition("/")
    if own_path in ("v1", "v2"):
        own_path = ""
    same = fnmatchcase(host, own_host) or (host in _DEFAULT_ALIASES and own_host in _DEFAULT_ALIASES)
    return same and (not own_path or path.startswith(own_path))


def _auth(entry: Mapping[str, str]) -> JsonObject:
    username, password = entry.get("username", ""), entry.get("password", "")
    if not username and entry.get("auth"):
        username, _, password = base64.b64decode(entry["auth"]).decode().partition(":")
    return {"username": username, "password": password, "identity_token": entry.get("identitytoken", "")}
