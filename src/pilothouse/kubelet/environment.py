"""The environment of a container: pure, from the pod, the objects it refers to and the services it may see.

API pages: "Define Environment Variables for a Container", "Expose Pod Information to Containers".
"""

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pilothouse.api.machinery.quantity import Quantity, parse_quantity
from pilothouse.api.types.core_v1 import (
    ConfigMap,
    Container,
    EnvVar,
    FileKeySelector,
    Pod,
    ResourceFieldSelector,
    Secret,
    Service,
)
from pilothouse.kubelet.containers import find
from pilothouse.kubelet.env_file import EnvFileError, parse_env_file
from pilothouse.kubelet.runtime_config import expand

_DEFAULTED = ("cpu", "memory", "ephemeral-storage")
_ESCAPES = {
    '"': '\\"', "\\": "\\\\", "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t",
    "\v": "\\v",
}  # fmt: skip
_SUBSCRIPT = re.compile(r"metadata\.(labels|annotations)\['(.*)'\]")


class ConfigError(Exception):
    """The container cannot be configured as its spec says; shown with reason CreateContainerConfigError."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What `fieldRef` and `resourceFieldRef` may read beside the pod's spec."""

    pod_ips: tuple[str, ...] = ()
    host_ips: tuple[str, ...] = ()
    allocatable: Mapping[str, str] = field(default_factory=dict)
    """Of the node: stands in for a limit that is not set."""


@dataclass(frozen=True, slots=True)
class EnvFile:
    """A file with variables in it. `text` None: it cannot be read."""

    path: str
    text: str | None


@dataclass(frozen=True, slots=True)
class Referred:
    """ConfigMaps and Secrets by name, None where there is none."""

    config_maps: Mapping[str, ConfigMap | None] = field(default_factory=dict)
    secrets: Mapping[str, Secret | None] = field(default_factory=dict)
    files: Mapping[tuple[str, str], EnvFile | None] = field(default_factory=dict)
    """By volume and path in it, None where the pod has no such volume."""


def files_referred(container: Container) -> set[tuple[str, str]]:
    """Volumes and paths of the files that the environment is made from."""
    keys = (variable.valueFrom.fileKeyRef for variable in container.env)
    return {(key.volumeName, key.path) for key in keys if key}


def names_referred(container: Container) -> tuple[set[str], set[str]]:
    """Names of the ConfigMaps and of the Secrets that the environment is made from."""
    config_maps = {source.configMapRef.name for source in container.envFrom if source.configMapRef}
    secrets = {source.secretRef.name for source in container.envFrom if source.secretRef}
    for variable in container.env:
        origin = variable.valueFrom
        config_maps |= {origin.configMapKeyRef.name} if origin.configMapKeyRef else set()
        secrets |= {origin.secretKeyRef.name} if origin.secretKeyRef else set()
    return config_maps, secrets


def environment(
    pod: Pod, container: Container, referred: Referred, services: Mapping[str, str], facts: Facts
) -> list[tuple[str, str]]:
    """The variables in order. Raises ConfigError."""
    result: dict[str, str] = {}
    for source in container.envFrom:
        origin, secret = (source.secretRef, True) if source.secretRef else (source.configMapRef, False)
        for key, value in _whole_object(origin.name, bool(origin.optional), referred, secret=secret):
            result[f"{source.prefix}{key}"] = value
    for variable in container.env:
        if variable.valueFrom:
            value_or_none = _value_from(pod, container, variable, referred, facts)
            if value_or_none is None:
                continue
            result[variable.name] = value_or_none
        else:
            result[variable.name] = expand(variable.value, {**services, **result})
    return [*result.items(), *((key, value) for key, value in services.items() if key not in result)]


def _whole_object(name: str, optional: bool, referred: Referred, *, secret: bool) -> Iterable[tuple[str, str]]:
    if secret:
        found = referred.secrets.get(name)
        if found is not None:
            return [(key, _decode(found, key)) for key in sorted(found.data)]
    else:
        config_map = referred.config_maps.get(name)
        if config_map is not None:
            return sorted(config_map.data.items())
    if optional:
        return []
    raise ConfigError(f'{"secret" if secret else "configmap"} "{name}" not found')


def _value_from(pod: Pod, container: Container, variable: EnvVar, referred: Referred, facts: Facts) -> str | None:
    origin = variable.valueFrom
    if origin.fieldRef:
        return field_value(pod, origin.fieldRef.fieldPath, facts)
    if origin.resourceFieldRef:
        return resource_value(pod, container, origin.resourceFieldRef, facts)
    if origin.configMapKeyRef:
        wanted = origin.configMapKeyRef
        config_map = referred.config_maps.get(wanted.name)
        if config_map is not None and wanted.key in config_map.data:
            return config_map.data[wanted.key]
        _missing("ConfigMap", wanted.name, wanted.key, pod, exists=config_map is not None, optional=wanted.optional)
    elif origin.secretKeyRef:
        chosen = origin.secretKeyRef
        secret = referred.secrets.get(chosen.name)
        if secret is not None and chosen.key in secret.data:
            return _decode(secret, chosen.key)
        _missing("Secret", chosen.name, chosen.key, pod, exists=secret is not None, optional=chosen.optional)
    elif origin.fileKeyRef:
        return _from_file(origin.fileKeyRef, referred)
    else:
        raise ConfigError(f"environment variable {variable.name} has a source that this node does not offer")
    return None


def _from_file(wanted: FileKeySelector, referred: Referred) -> str | None:
    file = referred.files.get((wanted.volumeName, wanted.path))
    if file is None:
        raise ConfigError(f'cannot find the volume "{wanted.volumeName}" referenced by FileKeyRef')
    try:
        value = parse_env_file(file.text, wanted.key) if file.text is not None else None
    except EnvFileError:
        value = None
    if value is None:
        raise ConfigError("couldn't parse env file")
    if not value and not wanted.optional:
        raise ConfigError(f'environment variable key "{wanted.key}" not found in file "{file.path}"')
    return value or None


def _missing(kind: str, name: str, key: str, pod: Pod, *, exists: bool, optional: bool | None) -> None:
    if optional:
        return
    if exists:
        raise ConfigError(f"couldn't find key {key} in {kind} {pod.metadata.namespace}/{name}")
    raise ConfigError(f'{kind.lower()} "{name}" not found')


def _decode(secret: Secret, key: str) -> str:
    return base64.b64decode(secret.data[key]).decode(errors="surrogateescape")


def field_value(pod: Pod, path: str, facts: Facts) -> str:
    """What `fieldRef` reads. Raises ConfigError for a path that is not offered."""
    meta = pod.metadata
    if subscript := _SUBSCRIPT.fullmatch(path):
        found = meta.labels if subscript[1] == "labels" else meta.annotations
        return found.get(subscript[2], "")
    plain = {
        "metadata.name": meta.name,
        "metadata.namespace": meta.namespace,
        "metadata.uid": meta.uid,
        "spec.nodeName": pod.spec.nodeName,
        "spec.serviceAccountName": pod.spec.serviceAccountName,
        "status.hostIP": facts.host_ips[0] if facts.host_ips else "",
        "status.hostIPs": ",".join(facts.host_ips),
        "status.podIP": facts.pod_ips[0] if facts.pod_ips else "",
        "status.podIPs": ",".join(facts.pod_ips),
    }
    if path in ("metadata.labels", "metadata.annotations"):
        return _lines(meta.labels if path.endswith("labels") else meta.annotations)
    if path not in plain:
        raise ConfigError(f"unsupported fieldPath: {path}")
    return plain[path]


def _lines(pairs: Mapping[str, str]) -> str:
    """Labels or annotations as a file shows them: sorted, the values quoted as Go does."""
    return "\n".join(f"{key}={_go_quote(value)}" for key, value in sorted(pairs.items()))


def _go_quote(text: str) -> str:
    return f'"{"".join(_ESCAPES.get(sign) or (sign if sign.isprintable() else _code(sign)) for sign in text)}"'


def _code(sign: str) -> str:
    number = ord(sign)
    return f"\\x{number:02x}" if number < 0x80 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def resource_value(pod: Pod, container: Container, wanted: ResourceFieldSelector, facts: Facts) -> str:
    """What `resourceFieldRef` reads: a request or limit divided by the divisor, rounded up."""
    named = find(pod, wanted.containerName) if wanted.containerName else container
    if named is None:
        raise ConfigError(f"container {wanted.containerName} not found")
    kind, _, resource = wanted.resource.partition(".")
    if kind not in ("limits", "requests"):
        raise ConfigError(f"unsupported container resource : {wanted.resource}")
    limits, asked = named.resources.limits, named.resources.requests
    text = asked.get(resource, "0") if kind == "requests" else limits.get(resource, "0")
    if kind == "limits" and not parse_quantity(text) and resource in _DEFAULTED:
        # No limit of its own: the pod's as a whole, else all that the node has.
        text = pod.spec.resources.limits.get(resource) or facts.allocatable.get(resource, "0")
    amount = parse_quantity(text)
    divisor = parse_quantity(str(wanted.divisor)) if wanted.divisor else Quantity(0)
    unit = divisor.nano or 10**9
    return str(-(-amount.nano // unit))


def service_variables(namespace: str, services: Sequence[Service], *, links: bool) -> dict[str, str]:
    """Variables for the services a pod sees: those of its namespace, and always the API server's."""
    chosen: dict[str, Service] = {}
    for service in services:
        if service.spec.clusterIP in ("", "None"):
            continue
        meta = service.metadata
        if meta.namespace == "default" and meta.name == "kubernetes":
            chosen.setdefault(meta.name, service)
        elif links and meta.namespace == namespace:
            chosen[meta.name] = service
    result: dict[str, str] = {}
    for name in sorted(chosen):
        result |= _one_service(name, chosen[name])
    return result


def _one_service(name: str, service: Service) -> dict[str, str]:
    prefix, ip, ports = name.upper().replace("-", "_"), service.spec.clusterIP, service.spec.ports
    if not ports:
        return {}
    result = {f"{prefix}_SERVICE_HOST": ip, f"{prefix}_SERVICE_PORT": str(ports[0].port)}
    for port in ports:
        if port.name:
            result[f"{prefix}_SERVICE_PORT_{port.name.upper().replace('-', '_')}"] = str(port.port)
    host = f"[{ip}]" if ":" in ip else ip
    first = ports[0]
    result[f"{prefix}_PORT"] = f"{(first.protocol or 'TCP').lower()}://{host}:{first.port}"
    for port in ports:
        protocol = port.protocol or "TCP"
        stem = f"{prefix}_PORT_{port.port}_{protocol.upper()}"
        result[stem] = f"{protocol.lower()}://{host}:{port.port}"
        result |= {f"{stem}_PROTO": protocol.lower(), f"{stem}_PORT": str(port.port), f"{stem}_ADDR": ip}
    return result
