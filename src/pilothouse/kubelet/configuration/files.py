"""Configuration files as documents: one file, and a directory of further ones that are laid over it.

As upstream's kubelet does with v1beta1, a file with unknown or repeated fields is taken for all that, and the log says
what is wrong with it; a further file may repeat nothing, and what nobody knows in it does not matter. Source:
pkg/kubelet/kubeletconfig, cmd/kubelet/app/server.go; KEP-3983.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from pilothouse.api.machinery.codec import json, yaml
from pilothouse.api.machinery.codec.body import strict_error
from pilothouse.api.machinery.codec.pairs import Pairs
from pilothouse.api.machinery.codec.syntax import MalformedError
from pilothouse.api.machinery.schema import check
from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.configuration.fields import API_VERSION, KIND, durations, look_up, put, schema
from pilothouse.runtime.durations import parse_duration
from pilothouse.runtime.log import Log

log = Log(__name__)
ENDING = ".conf"
_PATHS = ("staticPodPath", "authentication.x509.clientCAFile", "tlsCertFile", "tlsPrivateKeyFile", "resolvConf",
          "volumePluginDir")  # fmt: skip


class ConfigurationError(ValueError):
    """A configuration that cannot be, in upstream's words."""


def read_file(path: Path) -> JsonObject:
    """The fields that a file sets, those that name files made absolute. Raises ConfigurationError."""
    try:
        return _absolute(_decode(_read(path)), path.parent)
    except ConfigurationError as error:
        raise ConfigurationError(
            f"failed to load kubelet config file, path: {path}, error: failed to load Kubelet config file {path}, "
            f"error {error}"
        ) from None


def read_directory(directory: Path) -> list[JsonObject]:
    """What each further file sets, nulls included, in the order in which they count. Raises ConfigurationError."""
    try:
        return [_further(path) for path in _walk(directory)]
    except OSError as error:
        raise ConfigurationError(_unmerged(directory, f"{error.strerror}: {error.filename}")) from None
    except ConfigurationError as error:
        raise ConfigurationError(_unmerged(directory, str(error))) from None


def _unmerged(directory: Path, why: str) -> str:
    return (
        "failed to merge kubelet configs: failed to walk through kubelet dropin directory "
        f'"{directory}": {why}'
    )  # fmt: skip


def _walk(directory: Path) -> Iterator[Path]:
    """Files by name, those of a directory where it stands among them."""
    with os.scandir(directory) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path))
        elif entry.name.endswith(ENDING):
            yield Path(entry.path)


def _read(path: Path) -> bytes:
    try:
        body = path.read_bytes()
    except OSError as error:
        why = f"open {path}: {(error.strerror or str(error)).lower()}"
        raise ConfigurationError(f'failed to read kubelet config file "{path}", error: {why}') from None
    if not body:
        raise ConfigurationError(f'kubelet config file "{path}" was empty')
    return body


def _decode(body: bytes) -> JsonObject:
    value, repeated = _parse(body)
    _verify_kind(value, body)
    findings = check(schema(), value)
    if findings.errors:
        raise ConfigurationError(f"failed to decode: {findings.errors[0]}")
    if repeated or findings.strict:
        log.warning("Using lenient decoding as strict decoding failed", err=strict_error(findings.strict, repeated))
    return _fields(findings.object)


def _fields(document: JsonObject) -> JsonObject:
    """Without its kind; durations are some, and those that are none where they must be are not set."""
    kept = {name: value for name, value in document.items() if name not in ("kind", "apiVersion")}
    for name, zero_is_unset in durations():
        text = look_up(kept, name)
        if text is None:
            continue
        try:
            seconds = parse_duration(text)
        except ValueError as error:
            raise ConfigurationError(f"failed to decode: {error}") from None
        if zero_is_unset and not seconds:
            parent, _, last = name.rpartition(".")
            del (look_up(kept, parent) if parent else kept)[last]
    return kept


def _parse(body: bytes) -> tuple[JsonObject, list[str]]:
    repeated: list[str] = []
    try:
        if body.lstrip().startswith(b"{"):
            value = json.decode(body, duplicates=True)
        else:
            value, repeated = yaml.decode(body)
    except MalformedError as error:
        raise ConfigurationError(
            f"failed to decode: couldn't get version/kind; json parse error: {error}"
        ) from None  # fmt: skip
    if not isinstance(value, dict):
        value = {}
    return value, repeated


def _verify_kind(value: JsonObject, body: bytes) -> None:
    kind, version = value.get("kind"), value.get("apiVersion")
    for name, found in (("Kind", kind), ("apiVersion", version)):
        if not found or not isinstance(found, str):
            raise ConfigurationError(
                f"failed to decode: Object '{name}' is missing in '{body.decode(errors='replace')}'"
            )
    if (kind, version) != (KIND, API_VERSION):
        raise ConfigurationError(f'failed to decode: no kind "{kind}" is registered for version "{version}"')


def _absolute(document: JsonObject, root: Path) -> JsonObject:
    for name in _PATHS:
        if found := look_up(document, name):
            put(document, name, os.path.normpath(root / found))
    return document


def _further(path: Path) -> JsonObject:
    """One of the directory's files: a merge patch (RFC 7386)."""
    why = ""
    try:
        value, repeated = _parse(_read(path))
        kind, version = value.get("kind") or "", value.get("apiVersion") or ""
        if repeated or isinstance(value, Pairs):
            why = f"error: failed to load drop-in kubelet config file {path}, error {_repeats(value, repeated)}"
        elif not kind or not version:
            why = "no apiVersion/kind"
        elif (kind, version) != (KIND, API_VERSION):
            why = f"unknown apiVersion/kind: {version}, Kind={kind}"
    except ConfigurationError as error:
        why = f"error: failed to load drop-in kubelet config file {path}, error {error}"
    if why:
        raise ConfigurationError(f"failed to load kubelet dropin file, path: {path}, {why}")
    return {name: inner for name, inner in value.items() if name not in ("kind", "apiVersion")}


def _repeats(value: JsonObject, repeated: list[str]) -> str:
    return strict_error([line for line in check(schema(), value).strict if line.startswith("duplicate")], repeated)


def checked(document: JsonObject) -> JsonObject:
    """A merged document, as upstream reads it anew. Raises ConfigurationError."""
    findings = check(schema(), document)
    if findings.unknown:
        log.warning("Fields of the kubelet's configuration that nobody knows", fields=list(findings.unknown))
    if findings.errors:
        why = f"failed to unmarshal merged JSON into kubelet configuration: {findings.errors[0]}"
        raise ConfigurationError(f"failed to merge kubelet configs: {why}")
    return _fields(findings.object)
