"""Upstream's flags of the API server, as far as they mean something here, and what each changes in our configuration.

Source: the reference page of kube-apiserver; the refusals are those of spf13/pflag, which reads its flags.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.machinery.whole_numbers import parse_int
from pilothouse.apiserver.audit.backend import Mode
from pilothouse.apiserver.audit.log_file import Rotation
from pilothouse.apiserver.config import ApiServerConfig, AuditConfig, EtcdConfig
from pilothouse.runtime.booleans import parse_bool
from pilothouse.runtime.durations import parse_duration

_READ_ONLY, _MUTATING = 400, 200


class FlagError(ValueError):
    """A flag that is not known, or whose value cannot be."""


def _count(text: str) -> int:
    found = parse_int(text)
    if found < 0:
        raise ValueError("must not be negative")
    return found


def _span(text: str) -> float:
    found = parse_duration(text)
    if found < 0:
        raise ValueError("must not be negative")
    return found


def _file(text: str) -> Path:
    if not text:
        raise ValueError("it names no file")
    return Path(text)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _port_range(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    try:
        found = parse_int(first), parse_int(last or first)
    except ValueError:
        raise ValueError(f"invalid port range: {text}") from None
    if not 0 < found[0] <= found[1] < 65536:
        raise ValueError(f"invalid port range: {text}")
    return found


def _admission_configurations(text: str) -> dict[str, JsonObject]:
    """The plugins' configurations in a file of kind AdmissionConfiguration, or in the files that it names."""
    path = _file(text)
    document = _document(path)
    found: dict[str, JsonObject] = {}
    for plugin in document.get("plugins") or ():
        inline, beside = plugin.get("configuration"), plugin.get("path")
        found[plugin.get("name", "")] = inline if inline is not None else _document(path.parent / beside)
    return found


def _document(path: Path) -> JsonObject:
    try:
        found = yaml.load(path.read_text(), yaml.CSafeLoader)
    except OSError as error:
        raise ValueError(f"unable to read {path}: {error.strerror}") from None
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is not YAML: {error}") from None
    if not isinstance(found, dict):
        raise ValueError(f"{path} holds no object")
    return found


FLAGS: Mapping[str, Callable[[str], Any]] = {
    "admission-control-config-file": _admission_configurations,
    "anonymous-auth": parse_bool,
    "audit-log-maxage": _count,
    "audit-log-maxbackup": _count,
    "audit-log-maxsize": _count,
    "audit-log-mode": Mode,
    "audit-log-path": _file,
    "audit-policy-file": _file,
    "disable-admission-plugins": _names,
    "disable-http2-serving": parse_bool,
    "enable-admission-plugins": _names,
    "enable-bootstrap-token-auth": parse_bool,
    "encryption-provider-config": _file,
    "etcd-cafile": _file,
    "etcd-certfile": _file,
    "etcd-compaction-interval": _span,
    "etcd-keyfile": _file,
    "etcd-prefix": str,
    "etcd-servers": _names,
    "event-ttl": _span,
    "max-mutating-requests-inflight": _count,
    "max-requests-inflight": _count,
    "service-node-port-range": _port_range,
    "shutdown-delay-duration": _span,
}
"""What reads the value of each."""
FILES = frozenset(name for name, read in FLAGS.items() if read in (_file, _admission_configurations))
"""Those whose value is the name of a file."""


@dataclass(frozen=True, slots=True)
class _Given:
    """The flags that were given, with their values read."""

    values: Mapping[str, Any]

    def of(self, prefix: str = "", /, **fields: str) -> dict[str, Any]:
        """Those that are given of these fields, each by its flag."""
        named = {field: f"{prefix}{flag}" for field, flag in fields.items()}
        return {field: self.values[flag] for field, flag in named.items() if flag in self.values}


def with_flags(config: ApiServerConfig, flags: Mapping[str, str]) -> ApiServerConfig:
    """The configuration as flags (by name, without dashes) change it. Raises FlagError."""
    given = _Given({name: _read(name, text) for name, text in flags.items()})
    changed: dict[str, Any] = given.of(
        admission="admission-control-config-file",
        anonymous="anonymous-auth",
        bootstrap_tokens="enable-bootstrap-token-auth",
        disabled_admission="disable-admission-plugins",
        enabled_admission="enable-admission-plugins",
        encryption="encryption-provider-config",
        event_ttl="event-ttl",
        node_ports="service-node-port-range",
        shutdown_delay="shutdown-delay-duration",
    )
    if "disable-http2-serving" in given.values:
        changed["http2"] = not given.values["disable-http2-serving"]
    seats = given.of(reading="max-requests-inflight", mutating="max-mutating-requests-inflight")
    if seats:
        changed["seats"] = seats.get("reading", _READ_ONLY) + seats.get("mutating", _MUTATING)
    return replace(config, **changed, audit=_audit(given) or config.audit, etcd=_etcd(given) or config.etcd)


def check(flags: Mapping[str, str]) -> None:
    """Raise FlagError for what `with_flags` would not take."""
    for name, text in flags.items():
        _read(name, text)


def _read(name: str, text: str) -> Any:
    if name not in FLAGS:
        raise FlagError(f"unknown flag: --{name}")
    try:
        return FLAGS[name](text)
    except ValueError as error:
        raise FlagError(f'invalid argument "{text}" for "--{name}" flag: {error}') from None


def _audit(given: _Given) -> AuditConfig | None:
    """Without a policy, or without a file, upstream records nothing, and says nothing of it either."""
    files = given.of("audit-", policy="policy-file", log="log-path", mode="log-mode")
    if not {"policy", "log"} <= files.keys():
        return None
    return AuditConfig(
        **files, rotation=Rotation(**given.of("audit-log-", size="maxsize", age="maxage", backups="maxbackup"))
    )


def _etcd(given: _Given) -> EtcdConfig | None:
    fields = given.of(
        "etcd-", servers="servers", authority="cafile", certificate="certfile", key="keyfile", prefix="prefix",
        compaction_interval="compaction-interval",
    )  # fmt: skip
    return EtcdConfig(**fields) if "servers" in fields else None
