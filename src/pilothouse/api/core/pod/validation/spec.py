"""Rules for a pod spec as a whole, and the entry points: a Pod, a new Pod, a pod template."""

import re
from typing import Any

from pilothouse.api.core.pod.validation.annotations import validate_annotations, validate_profiles_agree
from pilothouse.api.core.pod.validation.containers import (
    Surroundings,
    validate_containers,
    validate_ephemeral_containers,
    validate_image_text,
    validate_init_containers,
)
from pilothouse.api.core.pod.validation.requirements import validate_pod_resources, validate_requirements
from pilothouse.api.core.pod.validation.scheduling import (
    validate_affinity,
    validate_gates,
    validate_tolerations,
    validate_topology_spread,
)
from pilothouse.api.core.pod.validation.security import (
    validate_for_system,
    validate_host_process,
    validate_pod_security_context,
)
from pilothouse.api.core.pod.validation.volumes import validate_volumes
from pilothouse.api.machinery import names
from pilothouse.api.machinery.addresses import ip
from pilothouse.api.machinery.field import FieldErrors, as_go_shows, at, index
from pilothouse.api.machinery.view import JsonObject

RESTART_POLICIES = ("Always", "OnFailure", "Never")
DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
MAX_DEADLINE = 0x7FFFFFFF
_MAX_NAMESERVERS, _MAX_SEARCHES, _MAX_SEARCH_CHARACTERS = 3, 32, 2048
_SEARCH_LABEL = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_SEARCH = rf"{_SEARCH_LABEL}(\.{_SEARCH_LABEL})*"
_SEARCH_RE = re.compile(_SEARCH)
_SYSTEMS = ("linux", "windows")
_CLAIM = {"Name": "", "ResourceClaimName": None, "ResourceClaimTemplateName": None}
_MAX_HOSTNAME = 64


def validate(pod: JsonObject, errors: FieldErrors) -> None:
    """Check a Pod, new or changed."""
    spec, meta = pod.get("spec") or {}, pod.get("metadata") or {}
    if annotations := meta.get("annotations"):
        validate_annotations(annotations, spec, errors, "metadata.annotations")
    validate_pod_spec(spec, errors, "spec", pod_name=meta.get("name") or "", in_pod=True)
    if not spec.get("serviceAccountName"):
        _forbid_tokens(spec, errors)
    for kind in ("containers", "initContainers"):
        for position, container in enumerate(spec.get(kind) or ()):
            validate_image_text(container, errors, f"spec.{kind}[{position}]")


def validate_create(pod: JsonObject, errors: FieldErrors) -> None:
    """Check what holds for a new Pod alone."""
    spec = pod.get("spec") or {}
    if spec.get("ephemeralContainers"):
        errors.forbidden("spec.ephemeralContainers", "cannot be set on create")
    if spec.get("nodeName") and spec.get("schedulingGates"):
        errors.forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared")
    if annotations := (pod.get("metadata") or {}).get("annotations"):
        validate_profiles_agree(annotations, spec, errors, "spec")


def validate_pod_template(template: JsonObject, errors: FieldErrors, path: str) -> None:
    """Check the pod template of a workload."""
    meta, spec = template.get("metadata") or {}, template.get("spec") or {}
    names.validate_labels(meta.get("labels") or {}, errors, at(path, "labels"))
    annotations = meta.get("annotations") or {}
    names.validate_annotations(annotations, errors, at(path, "annotations"))
    validate_annotations(annotations, spec, errors, at(path, "annotations"))
    validate_pod_spec(spec, errors, at(path, "spec"))
    if annotations:
        validate_profiles_agree(annotations, spec, errors, at(path, "spec"))
    if spec.get("ephemeralContainers"):
        errors.forbidden(f"{path}.spec.ephemeralContainers", "ephemeral containers not allowed in pod template")


def validate_pod_spec(
    spec: JsonObject, errors: FieldErrors, path: str, *, pod_name: str = "", in_pod: bool = False
) -> None:
    """Check a pod spec. In a Pod some rules are stricter than in a template."""
    get = spec.get
    if get("terminationGracePeriodSeconds") is None:
        errors.required(at(path, "terminationGracePeriodSeconds"))
    volumes = validate_volumes(get("volumes") or [], pod_name, errors, at(path, "volumes"), in_pod=in_pod)
    claims = get("resourceClaims") or []
    if claims:
        _validate_claims(claims, errors, at(path, "resourceClaims"))
    around = Surroundings(
        volumes=volumes,
        claim_names=frozenset(claim["name"] for claim in claims if claim.get("name")),
        grace_period=get("terminationGracePeriodSeconds"),
        restart_policy=get("restartPolicy") or "",
        host_users=get("hostUsers") is not False,
        system=(get("os") or {}).get("name") or "",
    )
    containers = get("containers") or []
    validate_containers(containers, around, errors, at(path, "containers"))
    if inits := get("initContainers"):
        validate_init_containers(inits, containers, around, errors, at(path, "initContainers"))
    if get("ephemeralContainers"):
        validate_ephemeral_containers(spec, around, errors, at(path, "ephemeralContainers"))
    if get("resources"):
        validate_pod_resources(spec, errors, at(path, "resources"))
    if get("hostNetwork"):
        _validate_host_network_ports(containers, errors, at(path, "containers"), in_pod=in_pod)
    _validate_enum(spec, "restartPolicy", RESTART_POLICIES, errors, path)
    _validate_enum(spec, "dnsPolicy", DNS_POLICIES, errors, path)
    _validate_placement(spec, errors, path)
    validate_host_process(spec, errors, path)
    if not around.host_users:
        _validate_host_users(spec, errors, path)
    _validate_names(spec, errors, path)
    _validate_rest(spec, errors, path)


def _validate_placement(spec: JsonObject, errors: FieldErrors, path: str) -> None:
    """Where it may run and as whom, in upstream's order of messages."""
    get = spec.get
    if selector := get("nodeSelector"):
        names.validate_labels(selector, errors, at(path, "nodeSelector"))
    if get("securityContext"):
        validate_pod_security_context(spec, errors, at(path, "securityContext"))
    _validate_pull_secrets(get("imagePullSecrets") or (), errors, at(path, "imagePullSecrets"))
    if affinity := get("affinity"):
        validate_affinity(affinity, errors, at(path, "affinity"))
    if get("dnsConfig") is not None or get("dnsPolicy") == "None":
        _validate_dns(get("dnsConfig"), get("dnsPolicy") or "", errors, at(path, "dnsConfig"))
    validate_gates(spec, errors, path)
    if constraints := get("topologySpreadConstraints"):
        validate_topology_spread(constraints, errors, at(path, "topologySpreadConstraints"))


def _validate_names(spec: JsonObject, errors: FieldErrors, path: str) -> None:
    """Fields that name something else, or the pod itself on the network."""
    for name, rule in _NAME_RULES.items():
        value = spec.get(name)
        if value:
            for wrong in rule(value):
                errors.invalid(at(path, name), value, wrong)
        if name == "nodeName" and (deadline := spec.get("activeDeadlineSeconds")) is not None:
            for wrong in names.in_range(deadline, 1, MAX_DEADLINE):
                errors.invalid(at(path, "activeDeadlineSeconds"), deadline, wrong)
        elif name == "subdomain":
            if tolerations := spec.get("tolerations"):
                validate_tolerations(tolerations, errors, at(path, "tolerations"))
            if aliases := spec.get("hostAliases"):
                _validate_host_aliases(aliases, errors, at(path, "hostAliases"))
    runtime_class = spec.get("runtimeClassName")
    if runtime_class == "":
        for wrong in names.dns_subdomain(""):
            errors.invalid(at(path, "runtimeClassName"), "", wrong)
    if override := spec.get("hostnameOverride"):
        _validate_hostname_override(override, spec, errors, path)


_NAME_RULES: dict[str, Any] = {
    "serviceAccountName": names.dns_subdomain,
    "nodeName": names.dns_subdomain,
    "hostname": names.dns_label,
    "subdomain": names.dns_label,
    "priorityClassName": names.dns_subdomain,
    "runtimeClassName": names.dns_subdomain,
}
"""In upstream's order, which is that of the messages."""


def _validate_hostname_override(override: str, spec: JsonObject, errors: FieldErrors, path: str) -> None:
    """A hostname that is not the pod's name (KEP-4762)."""
    where = at(path, "hostnameOverride")
    for wrong in names.dns_subdomain(override):
        errors.invalid(where, override, wrong)
    if len(override) > _MAX_HOSTNAME:
        errors.too_long(where, _MAX_HOSTNAME)
    if spec.get("setHostnameAsFQDN"):
        errors.forbidden(where, "cannot be set when `setHostnameAsFQDN` is true")
    if spec.get("hostNetwork"):
        errors.forbidden(where, "cannot be set when `hostNetwork` is true")


def _validate_rest(spec: JsonObject, errors: FieldErrors, path: str) -> None:
    preemption = spec.get("preemptionPolicy")
    if preemption is not None:
        _validate_enum(spec, "preemptionPolicy", ("PreemptLowerPriority", "Never"), errors, path)
    if overhead := spec.get("overhead"):
        validate_requirements({"limits": overhead}, (), errors, at(path, "overhead"))
    system = spec.get("os")
    if system is not None:
        name = system.get("name") or ""
        if not name:
            errors.required(f"{path}.os.name", "cannot be empty")
        elif name not in _SYSTEMS:
            errors.not_supported(at(path, "os"), name, _SYSTEMS)
        else:
            validate_for_system(spec, errors, path)


def _validate_enum(spec: JsonObject, name: str, allowed: tuple[str, ...], errors: FieldErrors, path: str) -> None:
    value = spec.get(name)
    if value not in allowed:
        if not value:
            errors.required(at(path, name))
        else:
            errors.not_supported(at(path, name), value, allowed)


def _validate_claims(claims: list[JsonObject], errors: FieldErrors, path: str) -> None:
    seen: set[str] = set()
    for position, claim in enumerate(claims):
        name, where = claim.get("name") or "", index(path, position)
        if not name:
            errors.required(at(where, "name"))
        elif name in seen:
            errors.duplicate(at(where, "name"), name)
        else:
            for wrong in names.dns_label(name):
                errors.invalid(at(where, "name"), name, wrong)
            seen.add(name)
        own, template = claim.get("resourceClaimName"), claim.get("resourceClaimTemplateName")
        if own is not None and template is not None:
            words = "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"
            errors.invalid(where, as_go_shows(claim, _CLAIM), words)
        if own is None and template is None:
            words = "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"
            errors.invalid(where, as_go_shows(claim, _CLAIM), words)
        for field, value in (("resourceClaimName", own), ("resourceClaimTemplateName", template)):
            for wrong in names.dns_subdomain(value) if value is not None else ():
                errors.invalid(at(where, field), value, wrong)


def _validate_host_network_ports(containers: list[JsonObject], errors: FieldErrors, path: str, *, in_pod: bool) -> None:
    for position, container in enumerate(containers):
        for number, port in enumerate(container.get("ports") or ()):
            host = port.get("hostPort") or 0
            if (in_pod or host) and host != port.get("containerPort"):
                words = "must match `containerPort` when `hostNetwork` is true"
                errors.invalid(f"{path}[{position}].ports[{number}].hostPort", host, words)


def _validate_pull_secrets(secrets: Any, errors: FieldErrors, path: str) -> None:
    for position, secret in enumerate(secrets):
        if any(key != "name" for key in secret):
            errors.invalid(index(path, position), secret, "only name may be set")


def _validate_host_aliases(aliases: list[JsonObject], errors: FieldErrors, path: str) -> None:
    for position, alias in enumerate(aliases):
        address = alias.get("ip") or ""
        for wrong in ip(address):
            errors.invalid(f"{path}[{position}].ip", address, wrong)
        for number, hostname in enumerate(alias.get("hostnames") or ()):
            for wrong in names.dns_subdomain(hostname):
                errors.invalid(f"{path}[{position}].hostnames[{number}]", hostname, wrong)


def _validate_dns(config: JsonObject | None, policy: str, errors: FieldErrors, path: str) -> None:
    servers = (config or {}).get("nameservers") or ()
    if policy == "None":
        if config is None:
            errors.required(path, "must provide `dnsConfig` when `dnsPolicy` is None")
        elif not servers:
            words = "must provide at least one DNS nameserver when `dnsPolicy` is None"
            errors.required(at(path, "nameservers"), words)
        if not servers:
            return
    config = config or {}
    if len(servers) > _MAX_NAMESERVERS:
        errors.invalid(at(path, "nameservers"), servers, f"must not have more than {_MAX_NAMESERVERS} nameservers")
    for position, server in enumerate(servers):
        for wrong in ip(server):
            errors.invalid(f"{path}.nameservers[{position}]", server, wrong)
    searches = config.get("searches") or ()
    if len(searches) > _MAX_SEARCHES:
        errors.invalid(at(path, "searches"), searches, f"must not have more than {_MAX_SEARCHES} search paths")
    if len(" ".join(searches)) > _MAX_SEARCH_CHARACTERS:
        words = f"must not have more than {_MAX_SEARCH_CHARACTERS} characters (including spaces) in the search list"
        errors.invalid(at(path, "searches"), searches, words)
    for position, search in enumerate(searches):
        _validate_search(search, errors, f"{path}.searches[{position}]")
    for position, option in enumerate(config.get("options") or ()):
        if not option.get("name"):
            errors.required(f"{path}.options[{position}]", "must not be empty")


def _validate_search(search: str, errors: FieldErrors, path: str) -> None:
    """A DNS subdomain whose labels may hold underscores; `.` alone stops the search."""
    if search == ".":
        return
    search = search.removesuffix(".")
    if len(search) > 253:
        errors.invalid(path, search, "must be no more than 253 bytes")
    if not _SEARCH_RE.fullmatch(search):
        words = (
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-', '_' or '.', "
            "and must start and end with an alphanumeric character"
        )
        errors.invalid(path, search, names.pattern_error(words, _SEARCH, "example.com"))


def _validate_host_users(spec: JsonObject, errors: FieldErrors, path: str) -> None:
    # Upstream writes two of these fields with a capital.
    for field, shown in (("hostNetwork", "hostNetwork"), ("hostPID", "HostPID"), ("hostIPC", "HostIPC")):
        if spec.get(field):
            errors.forbidden(at(path, shown), "when `pod.Spec.HostUsers` is false")


def _forbid_tokens(spec: JsonObject, errors: FieldErrors) -> None:
    for position, volume in enumerate(spec.get("volumes") or ()):
        for number, source in enumerate((volume.get("projected") or {}).get("sources") or ()):
            if source.get("serviceAccountToken") is not None:
                where = f"spec.volumes[{position}].projected.sources[{number}].serviceAccountToken"
                errors.forbidden(where, "must not be specified when serviceAccountName is not set")
