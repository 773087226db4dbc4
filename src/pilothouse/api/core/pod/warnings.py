"""What whoever writes a pod or a pod template is told though it is accepted: fields that do nothing, or something else.

Source: pkg/api/pod/warnings.go, pkg/api/node/util.go. Runs on every write of a pod, so each part is looked at only
where it is there. *assumed*: nothing is said of the values of preferred node affinity.
"""

from collections.abc import Iterator
from typing import Any

from pilothouse.api.core.pod.resources import canonical_quantity, quantity
from pilothouse.api.core.pod.validation.annotations import APP_ARMOR, SECCOMP_CONTAINER, SECCOMP_POD
from pilothouse.api.core.pod.validation.security import all_containers
from pilothouse.api.machinery.names import dns_label
from pilothouse.api.machinery.view import JsonObject

NODE_LABELS = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
    "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
    "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
}
_ANNOTATIONS = {
    "scheduler.alpha.kubernetes.io/critical-pod": 'non-functional in v1.16+; use the "priorityClassName" field instead',
    "security.alpha.kubernetes.io/sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
    "security.alpha.kubernetes.io/unsafe-sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
}
_VOLUMES = {
    "photonPersistentDisk": "deprecated in v1.11, non-functional in v1.16+",
    "gitRepo": "deprecated in v1.11",
    "scaleIO": "deprecated in v1.16, non-functional in v1.22+",
    "flocker": "deprecated in v1.22, non-functional in v1.25+",
    "storageos": "deprecated in v1.22, non-functional in v1.25+",
    "quobyte": "deprecated in v1.22, non-functional in v1.25+",
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+",
    "cephfs": "deprecated in v1.28, non-functional in v1.31+",
    "rbd": "deprecated in v1.28, non-functional in v1.31+",
}
_SHOWN = {"storageos": "storageOS"}
_BYTES = ("memory", "ephemeral-storage")
_NO_SELECTOR = "a null labelSelector results in matching no pod"
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
Warnings = Iterator[str]


def warn(pod: JsonObject, old: JsonObject | None) -> list[str]:
    """The warnings for a Pod. Only its author is warned: updates come from machines."""
    if old is not None:
        return []
    return [*warn_of_name(pod, "the Pod's hostname"), *_warnings(pod, "", template=False)]


def warn_of_workload(obj: JsonObject, old: JsonObject | None) -> list[str]:
    """The warnings for a workload whose template is `spec.template`, where anything of it has changed."""
    named = [] if old is not None else warn_of_name(obj, "Pod names and hostnames")
    return [*named, *warn_of_template(obj, old)]


def warn_of_template(obj: JsonObject, old: JsonObject | None) -> list[str]:
    """The same for workloads whose name is no part of a hostname that anybody uses."""
    if old is not None and _generation(obj) == _generation(old):
        return []
    return warn_of_pods((obj.get("spec") or {}).get("template") or {}, "spec.template.")


def warn_of_pods(template: JsonObject, path: str) -> list[str]:
    """The warnings for a pod template, wherever it stands; `path` ends in a dot."""
    return list(_warnings(template, path))


def _generation(obj: JsonObject) -> Any:
    return (obj.get("metadata") or {}).get("generation")


def warn_of_name(obj: JsonObject, where: str) -> Warnings:
    """A name that cannot be a label of a DNS name."""
    if wrongs := dns_label((obj.get("metadata") or {}).get("name") or ""):
        words = "which can result in surprising behavior; a DNS label is recommended"
        yield f"metadata.name: this is used in {where}, {words}: [{' '.join(wrongs)}]"


def _warnings(obj: JsonObject, path: str, *, template: bool = True) -> Warnings:
    spec, annotations = obj.get("spec") or {}, (obj.get("metadata") or {}).get("annotations") or {}
    base = f"{path}spec"
    yield from _of_scheduling(spec, base)
    if annotations:
        for key, words in _ANNOTATIONS.items():
            if key in annotations:
                yield f"{path}metadata.annotations[{key}]: {words}"
    yield from _of_volumes(spec.get("volumes") or (), f"{base}.volumes")
    yield from _of_repeated(spec.get("hostAliases") or (), "ip", f"{base}.hostAliases")
    yield from _of_repeated(spec.get("imagePullSecrets") or (), "name", f"{base}.imagePullSecrets")
    for position, secret in enumerate(spec.get("imagePullSecrets") or ()):
        if not secret.get("name"):
            yield f'{base}.imagePullSecrets[{position}].name: invalid empty name ""'
    yield from _of_fractions(spec.get("overhead") or {}, f"{base}.overhead")
    if annotations:
        yield from _of_profiles(spec, annotations, f"{path}metadata.annotations", template=template)
    containers = [(f"{base}.{where}", container) for where, container in all_containers(spec)]
    for where, container in containers:
        for kind, amounts in (container.get("resources") or {}).items():
            if kind in ("limits", "requests"):
                yield from _of_fractions(amounts, f"{where}.resources.{kind}")
        yield from _of_hidden_variables(container.get("env") or (), f"{where}.env")
    yield from _of_ports(containers)
    grace = spec.get("terminationGracePeriodSeconds")
    if grace is not None and grace < 0:
        words = "must be >= 0; negative values are invalid and will be treated as 1"
        yield f"{base}.terminationGracePeriodSeconds: {words}"
    yield from _of_pod_affinity(spec.get("affinity") or {}, f"{base}.affinity")


def _of_scheduling(spec: JsonObject, base: str) -> Warnings:
    for key in spec.get("nodeSelector") or ():
        if key in NODE_LABELS:
            yield f"{base}.nodeSelector[{key}]: {NODE_LABELS[key]}"
    if affinity := (spec.get("affinity") or {}).get("nodeAffinity"):
        path = f"{base}.affinity.nodeAffinity"
        for position, term in enumerate((affinity.get(_REQUIRED) or {}).get("nodeSelectorTerms") or ()):
            yield from _of_node_term(term, f"{path}.{_REQUIRED}.nodeSelectorTerms[{position}]")
        for position, term in enumerate(affinity.get(_PREFERRED) or ()):
            yield from _of_node_term(term.get("preference") or {}, f"{path}.{_PREFERRED}[{position}].preference")
    for position, constraint in enumerate(spec.get("topologySpreadConstraints") or ()):
        where, key = f"{base}.topologySpreadConstraints[{position}]", constraint.get("topologyKey") or ""
        if key in NODE_LABELS:
            yield f"{where}.topologyKey: {key} is {NODE_LABELS[key]}"
        if constraint.get("labelSelector") is None:
            yield f"{where}.labelSelector: {_NO_SELECTOR}"


def _of_node_term(term: JsonObject, path: str) -> Warnings:
    for position, expression in enumerate(term.get("matchExpressions") or ()):
        if (key := expression.get("key")) in NODE_LABELS:
            yield f"{path}.matchExpressions[{position}].key: {key} is {NODE_LABELS[key]}"


def _of_pod_affinity(affinity: JsonObject, base: str) -> Warnings:
    for kind in ("podAffinity", "podAntiAffinity"):
        rules = affinity.get(kind) or {}
        for position, term in enumerate(rules.get(_REQUIRED) or ()):
            if term.get("labelSelector") is None:
                yield f"{base}.{kind}.{_REQUIRED}[{position}].labelSelector: {_NO_SELECTOR}"
        for position, term in enumerate(rules.get(_PREFERRED) or ()):
            if (term.get("podAffinityTerm") or {}).get("labelSelector") is None:
                yield f"{base}.{kind}.{_PREFERRED}[{position}].podAffinityTerm.labelSelector: {_NO_SELECTOR}"


def _of_volumes(volumes: Any, path: str) -> Warnings:
    for position, volume in enumerate(volumes):
        for kind in volume:
            if kind in _VOLUMES:
                yield f"{path}[{position}].{_SHOWN.get(kind, kind)}: {_VOLUMES[kind]}"


def _of_repeated(items: Any, name: str, path: str) -> Warnings:
    seen: set[str] = set()
    for position, item in enumerate(items):
        value = item.get(name) or ""
        if value in seen:
            yield f'{path}[{position}].{name}: duplicate {name} "{value}"'
        seen.add(value)


def _of_fractions(amounts: JsonObject, path: str) -> Warnings:
    """Bytes are not divided; `100m` of memory is what somebody writes who means 100M."""
    for name in _BYTES:
        if name in amounts and quantity(str(amounts[name])).milli() % 1000:
            shown = canonical_quantity(amounts[name])
            yield f'{path}[{name}]: fractional byte value "{shown}" is invalid, must be an integer'


def _of_profiles(spec: JsonObject, annotations: JsonObject, path: str, *, template: bool) -> Warnings:
    """Annotations that were fields' predecessors, where the field does not say it, too."""
    gone = 'non-functional in v1.27+; use the "seccompProfile" field instead'
    security = spec.get("securityContext") or {}
    if SECCOMP_POD in annotations and security.get("seccompProfile") is None:
        yield f"{path}[{SECCOMP_POD}]: {gone}"
    for _, container in all_containers(spec):
        own, name = container.get("securityContext") or {}, container.get("name") or ""
        if own.get("seccompProfile") is None and SECCOMP_CONTAINER + name in annotations:
            yield f"{path}[{SECCOMP_CONTAINER}{name}]: {gone}"
        if template and APP_ARMOR + name in annotations and not (security | own).get("appArmorProfile"):
            yield f'{path}[{APP_ARMOR}{name}]: deprecated since v1.30; use the "appArmorProfile" field instead'


def _of_hidden_variables(variables: Any, path: str) -> Warnings:
    seen: set[str] = set()
    for position, variable in enumerate(variables):
        name, value = variable.get("name") or "", variable.get("value") or ""
        if name in seen:
            before = f"$({name})"
            if variable.get("valueFrom") is not None or value == before or before not in value:
                words = f'hides previous definition of "{name}", which may be dropped when using apply'
                yield f"{path}[{position}]: {words}"
        seen.add(name)


def _of_ports(containers: list[tuple[str, JsonObject]]) -> Warnings:
    taken: dict[tuple[Any, Any], list[tuple[str, JsonObject]]] = {}
    for where, container in containers:
        for position, port in enumerate(container.get("ports") or ()):
            path = f"{where}.ports[{position}]"
            if port.get("hostIP") and not port.get("hostPort"):
                yield f"{path}: hostIP set without hostPort: {_as_go_prints(port)}"
            others = taken.setdefault((port.get("containerPort"), port.get("protocol")), [])
            for other_path, other in others:
                if how := _collision(port, other):
                    yield f"{path}: {how} port definition with {other_path}"
            others.append((path, port))


def _as_go_prints(port: JsonObject) -> str:
    names = ("Name", "HostPort", "ContainerPort", "Protocol", "HostIP")
    values = (port.get("name") or "", 0, port.get("containerPort"), port.get("protocol"), port.get("hostIP"))
    return f"{{{' '.join(f'{name}:{value}' for name, value in zip(names, values, strict=True))}}}"


def _collision(port: JsonObject, other: JsonObject) -> str:
    host, other_host = port.get("hostPort") or 0, other.get("hostPort") or 0
    address, other_address = port.get("hostIP") or "", other.get("hostIP") or ""
    if (host, address) == (other_host, other_address):
        return "duplicate"
    if not host or not other_host:
        return "overlapping"
    if host == other_host and bool(address) != bool(other_address):
        return "dangerously ambiguous"
    return ""
