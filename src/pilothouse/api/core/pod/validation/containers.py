"""Rules for containers: what all have in common, and what each of the three kinds may have."""

from collections.abc import Collection
from dataclasses import dataclass

from pilothouse.api.core.pod.resources import is_sidecar
from pilothouse.api.core.pod.validation.environment import validate_env, validate_env_from
from pilothouse.api.core.pod.validation.handlers import validate_lifecycle, validate_probes
from pilothouse.api.core.pod.validation.mounts import Volumes, validate_devices, validate_mounts
from pilothouse.api.core.pod.validation.requirements import validate_requirements
from pilothouse.api.core.pod.validation.security import validate_security_context
from pilothouse.api.core.pod.validation.volumes import validate_pull_policy
from pilothouse.api.machinery.field import FieldErrors, at, index
from pilothouse.api.machinery.names import dns_label, port_name, port_number
from pilothouse.api.machinery.view import JsonObject

_PROTOCOLS = ("SCTP", "TCP", "UDP")
_MESSAGE_POLICIES = ("File", "FallbackToLogsOnError")
_RESTART_POLICIES = ("Always", "Never", "OnFailure")
_MAX_RESTART_RULES, _MAX_EXIT_CODES = 20, 255
_NOT_FOR_INIT = ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe")
_NOT_FOR_EPHEMERAL = (
    "ports", "resources", "resizePolicy", "restartPolicy", "restartPolicyRules", "livenessProbe", "readinessProbe",
    "startupProbe", "lifecycle",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the rules of a container need to know of its pod."""

    volumes: Volumes
    claim_names: Collection[str]
    grace_period: int | None
    restart_policy: str
    host_users: bool
    system: str


def validate_containers(containers: list[JsonObject], around: Surroundings, errors: FieldErrors, path: str) -> None:
    """The containers proper: at least one, with names and host ports of their own."""
    if not containers:
        errors.required(path)
        return
    names: set[str] = set()
    for position, container in enumerate(containers):
        where, name = index(path, position), container.get("name") or ""
        _validate_common(container, around, errors, where)
        if name in names:
            errors.duplicate(at(where, "name"), name)
        names.add(name)
        _validate_hooks(container, around, errors, where)
        _validate_restart_policy(container, errors, where)
    _validate_host_ports(containers, errors, path)


def validate_init_containers(
    containers: list[JsonObject], regular: list[JsonObject], around: Surroundings, errors: FieldErrors, path: str
) -> None:
    """Init containers run one by one; those that always restart are sidecars, with hooks and probes."""
    names = {container.get("name") or "" for container in regular}
    for position, container in enumerate(containers):
        where, name = index(path, position), container.get("name") or ""
        _validate_common(container, around, errors, where)
        _validate_restart_policy(container, errors, where)
        if name in names:
            errors.duplicate(at(where, "name"), name)
        elif name:
            names.add(name)
        _validate_host_ports([container], errors, path)
        if is_sidecar(container):
            _validate_hooks(container, around, errors, where)
            continue
        for field in _NOT_FOR_INIT:
            if container.get(field) is not None:
                words = "may not be set for init containers without restartPolicy=Always"
                errors.forbidden(at(where, field), words)


def validate_ephemeral_containers(spec: JsonObject, around: Surroundings, errors: FieldErrors, path: str) -> None:
    """Containers added to look at a running pod: no services, so no ports, probes, hooks or resources."""
    others = {c.get("name") or "" for kind in ("containers", "initContainers") for c in spec.get(kind) or ()}
    names = set(others)
    for position, container in enumerate(spec["ephemeralContainers"]):
        where, name = index(path, position), container.get("name") or ""
        _validate_common(container, around, errors, where)
        validate_image_text(container, errors, where)
        if name in names:
            errors.duplicate(at(where, "name"), name)
        names.add(name)
        target = container.get("targetContainerName")
        if target and target not in others:
            errors.not_found(at(where, "targetContainerName"), target)
        for field in _NOT_FOR_EPHEMERAL:
            if container.get(field):
                errors.forbidden(at(where, field), "cannot be set for an Ephemeral Container")
        for number, mount in enumerate(container.get("volumeMounts") or ()):
            for field in ("subPath", "subPathExpr"):
                if mount.get(field):
                    words = "cannot be set for an Ephemeral Container"
                    errors.forbidden(f"{where}.volumeMounts[{number}].{field}", words)


def validate_image_text(container: JsonObject, errors: FieldErrors, path: str) -> None:
    """No blanks around the image's name. For pods alone: templates have been let through for long."""
    image = container.get("image") or ""
    if image != image.strip():
        errors.invalid(at(path, "image"), image, "must not have leading or trailing whitespace")


def _validate_common(container: JsonObject, around: Surroundings, errors: FieldErrors, path: str) -> None:
    get = container.get
    if not (name := get("name")):
        errors.required(at(path, "name"))
    else:
        for wrong in dns_label(name):
            errors.invalid(at(path, "name"), name, wrong)
    if not get("image"):
        errors.required(at(path, "image"))
    policy = get("terminationMessagePolicy")
    if not policy:
        errors.required(at(path, "terminationMessagePolicy"))
    elif policy not in _MESSAGE_POLICIES:
        errors.not_supported(at(path, "terminationMessagePolicy"), policy, _MESSAGE_POLICIES)
    if ports := get("ports"):
        _validate_ports(ports, errors, at(path, "ports"))
    if env := get("env"):
        validate_env(env, errors, at(path, "env"))
    if sources := get("envFrom"):
        validate_env_from(sources, errors, at(path, "envFrom"))
    if get("volumeMounts"):
        validate_mounts(container, around.volumes, errors, at(path, "volumeMounts"))
    if get("volumeDevices"):
        validate_devices(container, around.volumes, errors, at(path, "volumeDevices"))
    validate_pull_policy(get("imagePullPolicy") or "", errors, at(path, "imagePullPolicy"))
    if resources := get("resources"):
        validate_requirements(resources, around.claim_names, errors, at(path, "resources"))
    if policies := get("resizePolicy"):
        _validate_resize_policies(policies, around, errors, at(path, "resizePolicy"))
    if security := get("securityContext"):
        validate_security_context(security, around.host_users, errors, at(path, "securityContext"))


def _validate_hooks(container: JsonObject, around: Surroundings, errors: FieldErrors, path: str) -> None:
    if (lifecycle := container.get("lifecycle")) is not None:
        validate_lifecycle(lifecycle, around.grace_period, around.system, errors, at(path, "lifecycle"))
    validate_probes(container, errors, path)


def _validate_ports(ports: list[JsonObject], errors: FieldErrors, path: str) -> None:
    names: set[str] = set()
    for position, port in enumerate(ports):
        where = f"{path}[{position}]"
        if name := port.get("name"):
            wrongs = port_name(name)
            for wrong in wrongs:
                errors.invalid(at(where, "name"), name, wrong)
            if name in names:
                errors.duplicate(at(where, "name"), name)
            elif not wrongs:
                names.add(name)
        if not (number := port.get("containerPort")):
            errors.required(at(where, "containerPort"))
        else:
            for wrong in port_number(number):
                errors.invalid(at(where, "containerPort"), number, wrong)
        if number := port.get("hostPort"):
            for wrong in port_number(number):
                errors.invalid(at(where, "hostPort"), number, wrong)
        protocol = port.get("protocol")
        if not protocol:
            errors.required(at(where, "protocol"))
        elif protocol not in _PROTOCOLS:
            errors.not_supported(at(where, "protocol"), protocol, _PROTOCOLS)


def _validate_host_ports(containers: list[JsonObject], errors: FieldErrors, path: str) -> None:
    taken: set[str] = set()
    for position, container in enumerate(containers):
        for number, port in enumerate(container.get("ports") or ()):
            if host := port.get("hostPort"):
                key = f"{port.get('protocol') or ''}/{port.get('hostIP') or ''}/{host}"
                if key in taken:
                    errors.duplicate(f"{path}[{position}].ports[{number}].hostPort", key)
                taken.add(key)


def _validate_resize_policies(policies: list[JsonObject], around: Surroundings, errors: FieldErrors, path: str) -> None:
    seen: set[str] = set()
    for position, policy in enumerate(policies):
        resource, restart = policy.get("resourceName") or "", policy.get("restartPolicy") or ""
        if resource in seen:
            errors.duplicate(index(path, position), resource)
        seen.add(resource)
        if not resource:
            errors.required(path)
        elif resource not in ("cpu", "memory"):
            errors.not_supported(path, resource, ("cpu", "memory"))
        if not restart:
            errors.required(path)
        elif restart not in ("NotRequired", "RestartContainer"):
            errors.not_supported(path, restart, ("NotRequired", "RestartContainer"))
        if around.restart_policy == "Never" and restart != "NotRequired":
            errors.invalid(path, restart, "must be 'NotRequired' when `restartPolicy` is 'Never'")


def _validate_restart_policy(container: JsonObject, errors: FieldErrors, path: str) -> None:
    """A container's own policy, and rules by exit code (KEP-5307)."""
    policy, rules = container.get("restartPolicy"), container.get("restartPolicyRules") or ()
    if policy is not None and policy not in _RESTART_POLICIES:
        errors.not_supported(at(path, "restartPolicy"), policy, _RESTART_POLICIES)
    if not rules:
        return
    where = at(path, "restartPolicyRules")
    if policy is None:
        errors.required(at(path, "restartPolicy"), "must specify restartPolicy when restart rules are used")
    if len(rules) > _MAX_RESTART_RULES:
        errors.too_many(where, len(rules), _MAX_RESTART_RULES)
    for position, rule in enumerate(rules):
        action, codes = rule.get("action") or "", rule.get("exitCodes")
        if action not in ("Restart", "RestartAllContainers"):
            errors.not_supported(f"{where}[{position}].action", action, ("Restart", "RestartAllContainers"))
        if codes is None:
            errors.required(f"{where}[{position}].exitCodes", "must be specified")
            continue
        operator, values = codes.get("operator") or "", codes.get("values") or ()
        if operator not in ("In", "NotIn"):
            errors.not_supported(f"{where}[{position}].exitCodes.operator", operator, ("In", "NotIn"))
        if len(values) > _MAX_EXIT_CODES:
            errors.too_many(f"{where}[{position}].exitCodes.values", len(values), _MAX_EXIT_CODES)
