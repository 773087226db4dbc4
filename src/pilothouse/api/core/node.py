"""Node: a machine that runs pods.

Sources of the facts: pkg/apis/core/v1/defaults.go and conversion.go, pkg/apis/core/validation/validation.go,
pkg/registry/core/node/strategy.go, pkg/printers/internalversion/printers.go. API page: core/v1 Node.
"""

from collections.abc import Sequence

from pilothouse.api.core.pod.resources import canonical_resources
from pilothouse.api.core.pod.validation.requirements import validate_amount
from pilothouse.api.machinery.address_warnings import warn_of_cidr
from pilothouse.api.machinery.addresses import canonical_cidr, family
from pilothouse.api.machinery.columns import AGE, NONE, UNKNOWN, Cell, dig, show, show_text
from pilothouse.api.machinery.field import FieldError, FieldErrorKind, FieldErrors, as_go_shows, at, index
from pilothouse.api.machinery.names import config_map_key, dns_label, dns_subdomain, label_key, label_value
from pilothouse.api.machinery.repeats import repeats
from pilothouse.api.machinery.resource import STATUS, Column, Resource, Subresource
from pilothouse.api.machinery.strategy import keep_status
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Node
from pilothouse.runtime.clock import Instant

ROLE_PREFIX = "node-role.kubernetes.io/"
_ROLE_LABEL = "kubernetes.io/role"
_AMOUNTS = ("capacity", "allocatable")
_TAINT = {"Key": "", "Value": "", "Effect": "", "TimeAdded": None}
_ADDRESS = {"Type": "", "Address": ""}
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_ONE_REFERENCE = "exactly one reference subfield must be non-nil"
_IDENTITY = ("uid", "resourceVersion")


def default(obj: JsonObject) -> None:
    """All it has may be used; amounts are canonical; the single pod block and the list agree."""
    spec = obj.get("spec") or {}
    blocks, block = spec.get("podCIDRs") or [], spec.get("podCIDR") or ""
    if block and not blocks:
        spec["podCIDRs"] = [block]
    elif blocks and not block:
        spec["podCIDR"] = blocks[0]
    status = obj.get("status") or {}
    if status.get("allocatable") is None and status.get("capacity") is not None:
        status["allocatable"] = dict(status["capacity"])
    for name in _AMOUNTS:
        canonical_resources(status.get(name) or {})


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """Taints are unique and well-formed, pod blocks are blocks of different families."""
    # Upstream places the taints below metadata in its messages, so do we.
    _validate_taints(dig(obj, "spec", "taints") or (), errors, "metadata.taints")
    _validate_amounts(obj, errors)
    _validate_blocks(dig(obj, "spec", "podCIDRs") or (), errors)


def _validate_amounts(obj: JsonObject, errors: FieldErrors) -> None:
    for field in _AMOUNTS:
        for name, amount in (dig(obj, "status", field) or {}).items():
            validate_amount(name, amount, errors, f"status.{field}.{name}")


def _validate_taints(taints: Sequence[JsonObject], errors: FieldErrors, path: str) -> None:
    seen: set[tuple[str, str]] = set()
    for position, taint in enumerate(taints):
        where = index(path, position)
        key, value, effect = taint.get("key") or "", taint.get("value") or "", taint.get("effect") or ""
        for wrong in label_key(key):
            errors.invalid(at(where, "key"), key, wrong)
        if problems := label_value(value):
            errors.invalid(at(where, "value"), value, ";".join(problems))
        if not effect:
            errors.required(at(where, "effect"))
        elif effect not in _EFFECTS:
            errors.not_supported(at(where, "effect"), effect, _EFFECTS)
        if (key, effect) in seen:
            why = "taints must be unique by key and effect pair"
            errors.append(FieldError(FieldErrorKind.DUPLICATE, where, as_go_shows(taint, _TAINT), why))
        seen.add((key, effect))


def _validate_blocks(blocks: Sequence[str], errors: FieldErrors) -> None:
    path = "spec.podCIDRs"
    for position, block in enumerate(blocks):
        for wrong in canonical_cidr(block):
            errors.invalid(index(path, position), block, wrong)
    if len(blocks) > 1:
        families = {family(block.partition("/")[0]) for block in blocks}
        if len(blocks) > 2 or len(families) < 2:
            errors.invalid(path, list(blocks), "may specify no more than one CIDR for each IP family")
        for position in repeats(blocks):
            errors.duplicate(index(path, position), blocks[position])


def validate_update(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """What names the machine or its pods' addresses is set once."""
    spec, stored = obj.get("spec") or {}, old.get("spec") or {}
    addresses = dig(obj, "status", "addresses") or ()
    for position in repeats(addresses):
        errors.duplicate(index("status.addresses", position), as_go_shows(addresses[position], _ADDRESS))
    new, before = spec.get("podCIDRs") or [], stored.get("podCIDRs") or []
    if before and new != before:
        errors.forbidden("spec.podCIDRs", 'node updates may not change podCIDR except from "" to valid')
    if stored.get("providerID") and spec.get("providerID") != stored["providerID"]:
        errors.forbidden("spec.providerID", 'node updates may not change providerID except from "" to valid')
    if (source := spec.get("configSource")) is not None:
        _validate_config(source, errors, "spec.configSource", stored=False)
    for name in ("assigned", "active", "lastKnownGood"):
        if (source := dig(obj, "status", "config", name)) is not None:
            _validate_config(source, errors, f"status.config.{name}", stored=True)
    if (spec.get("externalID") or "") != (stored.get("externalID") or ""):
        errors.forbidden("spec.externalID", "may not be updated")


def _validate_config(source: JsonObject, errors: FieldErrors, path: str, *, stored: bool) -> None:
    """A kubelet's configuration, which nobody reads any more, in a ConfigMap."""
    found, where = source.get("configMap"), at(path, "configMap")
    if found is None:
        errors.invalid(path, as_go_shows(source, {"ConfigMap": None}), _ONE_REFERENCE)
        return
    for name in _IDENTITY:
        if not stored and found.get(name):
            errors.forbidden(at(where, name), f"{name} must not be set in spec")
        elif stored and not found.get(name):
            errors.required(at(where, name), f"{name} must be set in status")
    for name, rule in (("namespace", dns_label), ("name", dns_subdomain), ("kubeletConfigKey", config_map_key)):
        value = found.get(name) or ""
        if not value:
            errors.required(at(where, name), f"{name} must be set")
        for wrong in rule(value) if value else ():
            errors.invalid(at(where, name), value, wrong)


def warn(obj: JsonObject, _old: JsonObject | None) -> list[str]:
    """What nobody looks at, and pod blocks that are written in an unusual way."""
    spec = obj.get("spec") or {}
    told = ["spec.configSource: the feature is removed"] if spec.get("configSource") is not None else []
    if spec.get("externalID"):
        told.append("spec.externalID: this field is deprecated, and is unused by Kubernetes")
    for position, block in enumerate(spec.get("podCIDRs") or ()):
        told += warn_of_cidr(block, index("spec.podCIDRs", position))
    return told


def validate_status(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """A kubelet's report: amounts and addresses, and what an update of the whole must keep."""
    _validate_amounts(obj, errors)
    validate_update(obj, old, errors)


def _status(obj: JsonObject, _now: Instant) -> str:
    conditions = dig(obj, "status", "conditions") or ()
    # The last one counts where a type is there twice, as in upstream's map.
    ready = next((c.get("status") for c in reversed(conditions) if c.get("type") == "Ready"), None)
    words = ["Unknown" if ready is None else "Ready" if ready == "True" else "NotReady"]
    if dig(obj, "spec", "unschedulable"):
        words.append("SchedulingDisabled")
    return ",".join(words)


def _roles(obj: JsonObject, _now: Instant) -> str:
    labels = dig(obj, "metadata", "labels") or {}
    roles = {key.removeprefix(ROLE_PREFIX) for key in labels if key.startswith(ROLE_PREFIX)}
    roles.add(labels.get(_ROLE_LABEL) or "")
    return ",".join(sorted(role for role in roles if role)) or NONE


def _address(kind: str) -> Cell:
    def cell(obj: JsonObject, _now: Instant) -> str:
        addresses = dig(obj, "status", "addresses") or ()
        return next((a.get("address", "") for a in addresses if a.get("type") == kind), NONE)

    return cell


def _unschedulable(obj: JsonObject) -> str:
    return "true" if dig(obj, "spec", "unschedulable") else "false"


RESOURCE = Resource(
    kind=Node,
    group="",
    version="v1",
    plural="nodes",
    singular="node",
    namespaced=False,
    short_names=("no",),
    subresources=(
        Subresource("proxy", kind="NodeProxyOptions", verbs=("create", "delete", "get", "patch", "update")),
        STATUS,
    ),
    generation=False,
    default=default,
    prepare_for_update=keep_status,
    validate=validate,
    validate_update=validate_update,
    validate_status=validate_status,
    warn=warn,
    columns=(
        Column("Status", _status),
        Column("Roles", _roles),
        AGE,
        Column("Version", show("status", "nodeInfo", "kubeletVersion")),
        Column("Internal-IP", _address("InternalIP"), priority=1),
        Column("External-IP", _address("ExternalIP"), priority=1),
        Column("OS-Image", show_text("status", "nodeInfo", "osImage", absent=UNKNOWN), priority=1),
        Column("Kernel-Version", show_text("status", "nodeInfo", "kernelVersion", absent=UNKNOWN), priority=1),
        Column(
            "Container-Runtime",
            show_text("status", "nodeInfo", "containerRuntimeVersion", absent=UNKNOWN),
            priority=1,
        ),
    ),
    selectable_fields={"spec.unschedulable": _unschedulable},
)
