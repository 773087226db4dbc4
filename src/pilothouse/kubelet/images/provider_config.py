"""Which programs give credentials for images: a CredentialProviderConfig, read and checked.

A file, or a directory of which all `.json`, `.yaml` and `.yml` files count together. Upstream:
pkg/credentialprovider/plugin/config.go; API page: "Kubelet Configuration (v1)".
"""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from pilothouse.runtime.durations import parse_duration

_GROUP = "credentialprovider.kubelet.k8s.io"
_CONFIG = tuple(f"kubelet.config.k8s.io/{version}" for version in ("v1", "v1beta1", "v1alpha1"))
_KNOWN = frozenset(("name", "apiVersion", "matchImages", "defaultCacheDuration", "args", "env", "tokenAttributes"))
_ENDINGS = (".json", ".yaml", ".yml")
VERSIONS = tuple(f"{_GROUP}/{version}" for version in ("v1", "v1alpha1", "v1beta1"))
"""Of the requests and answers of providers."""
PER_ACCOUNT, PER_TOKEN = "ServiceAccount", "Token"


class ProviderConfigError(ValueError):
    """The configuration cannot be used."""


@dataclass(frozen=True, slots=True)
class TokenAttributes:
    """How a provider gets tokens of the service accounts that it is asked for."""

    audience: str
    required: bool
    """Whether it is left alone where a pod has no account."""
    required_keys: tuple[str, ...] = ()
    """Annotations of the account, without which it is left alone."""
    optional_keys: tuple[str, ...] = ()
    cache: str = PER_ACCOUNT


@dataclass(frozen=True, slots=True)
class Provider:
    """One program."""

    name: str
    version: str
    images: tuple[str, ...]
    """What it is asked for, as in the Secrets of pods."""
    cached: float
    """Seconds for which an answer counts that does not say."""
    program: str
    arguments: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    token: TokenAttributes | None = None


def read_providers(config: Path, programs: Path) -> tuple[Provider, ...]:
    """The providers in their order. Raises ProviderConfigError, OSError."""
    if not programs.exists():
        raise ProviderConfigError(f"plugin binary directory {programs} did not exist")
    entries = [entry for path in _files(config) for entry in _decoded(path)]
    names = [str(entry.get("name", "")) for entry in entries]
    for name in names:
        if names.count(name) > 1:
            raise ProviderConfigError(f'duplicate provider name "{name}" found in configuration file(s)')
    errors = list(_complaints(entries))
    if errors:
        told = errors[0] if len(errors) == 1 else f"[{', '.join(errors)}]"
        raise ProviderConfigError(f"failed to validate credential provider config: {told}")
    return tuple(_provider(entry, programs) for entry in entries)


def _files(config: Path) -> list[Path]:
    if not config.is_dir():
        return [config]
    found = sorted(path for path in config.iterdir() if path.suffix in _ENDINGS and not path.is_dir())
    if not found:
        raise ProviderConfigError(f'no configuration files found in directory "{config}"')
    return found


def _decoded(path: Path) -> list[dict[str, Any]]:
    from pilothouse.api.machinery.codec import yaml  # where there are no providers, nobody pays for it
    from pilothouse.api.machinery.codec.syntax import MalformedError

    content = path.read_bytes()
    try:
        value = orjson.loads(content) if path.suffix == ".json" else yaml.decode(content)[0]
        if value["kind"] != "CredentialProviderConfig":
            raise ValueError(f'failed to decode "{value["kind"]}" (wrong Kind)')
        if value["apiVersion"] not in _CONFIG:
            raise ValueError(f"failed to decode CredentialProviderConfig, unexpected Group: {value['apiVersion']}")
        entries = value.get("providers") or []
        for unknown in (name for entry in entries for name in entry if name not in _KNOWN):
            raise ValueError(f'unknown field "providers.{unknown}"')
    except (MalformedError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ProviderConfigError(f'error decoding config "{path}": {error}') from error
    return [dict(entry) for entry in entries]


def _complaints(entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not entries:
        yield "providers: Required value: at least 1 item in plugins is required"
    for entry in entries:
        name, version = entry.get("name") or "", entry.get("apiVersion") or ""
        for sign, words in (("/", "'/'"), (" ", "spaces")):
            if sign in name:
                yield f'providers.name: Invalid value: "{name}": provider name cannot contain {words}'
        if name in (".", ".."):
            yield f"providers.name: Invalid value: \"{name}\": provider name cannot be '{name}'"
        if not version:
            yield "providers.apiVersion: Required value"
        elif version not in VERSIONS:
            supported = ", ".join(f'"{one}"' for one in VERSIONS)
            yield f'providers.apiVersion: Unsupported value: "{version}": supported values: {supported}'
        if not entry.get("matchImages"):
            yield "providers.matchImages: Required value: at least 1 item in matchImages is required"
        duration = entry.get("defaultCacheDuration")
        if duration is None:
            yield "providers.defaultCacheDuration: Required value"
        elif parse_duration(duration) < 0:
            yield (
                f'providers.defaultCacheDuration: Invalid value: "{duration}": defaultCacheDuration must be greater '
                "than or equal to 0"
            )
        if (token := entry.get("tokenAttributes")) is not None:
            yield from _token_complaints(token, version)


def _token_complaints(token: Mapping[str, Any], version: str) -> Iterator[str]:
    where = "providers.tokenAttributes"
    if not token.get("serviceAccountTokenAudience"):
        yield f"{where}.serviceAccountTokenAudience: Required value"
    if token.get("requireServiceAccount") is None:
        yield f"{where}.requireServiceAccount: Required value"
    if version != VERSIONS[0]:
        yield f"{where}: Forbidden: tokenAttributes is only supported for {VERSIONS[0]} API version"
    required = token.get("requiredServiceAccountAnnotationKeys") or []
    optional = token.get("optionalServiceAccountAnnotationKeys") or []
    if token.get("requireServiceAccount") is False and required:
        yield (
            f"{where}.requiredServiceAccountAnnotationKeys: Forbidden: requireServiceAccount cannot be false when "
            "requiredServiceAccountAnnotationKeys is set"
        )
    if both := sorted({*required} & {*optional}):
        words = ",".join(f'"{one}"' for one in both)
        yield f"{where}: Invalid value: [{words}]: annotation keys cannot be both required and optional"
    cache = token.get("cacheType")
    if not cache:
        yield (
            f"{where}.cacheType: Required value: cacheType is required to be set when tokenAttributes is specified. "
            f"Supported values are: {PER_ACCOUNT}, {PER_TOKEN}"
        )
    elif cache not in (PER_ACCOUNT, PER_TOKEN):
        yield (f'{where}.cacheType: Unsupported value: "{cache}": supported values: "{PER_ACCOUNT}", "{PER_TOKEN}"')


def _provider(entry: Mapping[str, Any], programs: Path) -> Provider:
    program = programs / entry["name"]
    if shutil.which(program) is None:
        raise ProviderConfigError(f"plugin binary executable {program} did not exist")
    token = entry.get("tokenAttributes")
    return Provider(
        name=entry["name"],
        version=entry["apiVersion"],
        images=tuple(entry["matchImages"]),
        cached=parse_duration(entry["defaultCacheDuration"]),
        program=os.fspath(program),
        arguments=tuple(entry.get("args") or ()),
        environment=tuple((one["name"], one.get("value") or "") for one in entry.get("env") or ()),
        token=None if token is None else TokenAttributes(
            token["serviceAccountTokenAudience"], token["requireServiceAccount"],
            tuple(token.get("requiredServiceAccountAnnotationKeys") or ()),
            tuple(token.get("optionalServiceAccountAnnotationKeys") or ()), token["cacheType"],
        ),
    )  # fmt: skip
