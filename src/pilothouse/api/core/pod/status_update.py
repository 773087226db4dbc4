"""What may change in a pod's status.

Source: ValidatePodStatusUpdate in pkg/apis/core/validation/validation.go.
"""

from typing import Any

from pilothouse.api.core.pod.resources import is_sidecar
from pilothouse.api.core.pod.update import check_annotations
from pilothouse.api.machinery import names
from pilothouse.api.machinery.addresses import family
from pilothouse.api.machinery.field import FieldErrors, index
from pilothouse.api.machinery.meta import IMMUTABLE
from pilothouse.api.machinery.view import JsonObject

_SYSTEM_CONDITIONS = frozenset({"PodScheduled", "Ready", "Initialized"})


def validate_status(pod: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """Check a change through the status subresource."""
    check_annotations(pod, old, errors)
    status, before, spec = pod.get("status") or {}, old.get("status") or {}, old.get("spec") or {}
    for position, condition in enumerate(status.get("conditions") or ()):
        kind = condition.get("type") or ""
        for wrong in () if kind in _SYSTEM_CONDITIONS else names.label_key(kind):
            errors.invalid(f"metadata.conditions[{position}].Type", kind, wrong)  # sic
    nominated = status.get("nominatedNodeName")
    if nominated and nominated != before.get("nominatedNodeName"):
        for wrong in names.dns_subdomain(nominated):
            errors.invalid("status.nominatedNodeName", nominated, wrong)
    if (quality := status.get("qosClass") or "") != (before.get("qosClass") or ""):
        errors.invalid("status.qosClass", quality, IMMUTABLE)
    policy = spec.get("restartPolicy") or ""
    sidecars = frozenset(c.get("name") for c in spec.get("initContainers") or () if is_sidecar(c))
    own_policies = {c.get("name"): c.get("restartPolicy") for c in spec.get("containers") or ()}
    _validate_transitions(status, before, "containerStatuses", policy, frozenset(), own_policies, errors)
    _validate_transitions(status, before, "initContainerStatuses", policy, sidecars, {}, errors)
    _validate_transitions(status, before, "ephemeralContainerStatuses", "Never", frozenset(), {}, errors)
    _validate_addresses(status.get("podIPs") or (), errors, "status.podIPs")
    hosts = status.get("hostIPs") or ()
    if hosts and (hosts[0].get("ip") or "") != (status.get("hostIP") or ""):
        errors.invalid("status.hostIPs[0].ip", hosts[0].get("ip"), "must be equal to `hostIP`")
    _validate_addresses(hosts, errors, "status.hostIPs")


def _validate_transitions(
    status: JsonObject, before: JsonObject, field: str, policy: str, sidecars: frozenset[Any],
    own_policies: dict[Any, Any], errors: FieldErrors,
) -> None:  # fmt: skip
    """A container that has ended for good does not run again."""
    if policy == "Always":
        return
    now = {container.get("name"): container for container in status.get(field) or ()}
    for position, stored in enumerate(before.get(field) or ()):
        name = stored.get("name")
        ended = (stored.get("state") or {}).get("terminated")
        own = own_policies.get(name) or policy
        if ended is None or name in sidecars or own == "Always":
            continue
        if ended.get("exitCode") and own == "OnFailure":
            continue
        if name in now and (now[name].get("state") or {}).get("terminated") is None:
            words = "may not be transitioned to non-terminated state"
            errors.forbidden(f"status.{field}[{position}].state", words)


def _validate_addresses(entries: Any, errors: FieldErrors, path: str) -> None:
    addresses = [entry.get("ip") or "" for entry in entries]
    for position, address in enumerate(addresses):
        for wrong in names.ip(address):
            errors.invalid(index(path, position), address, wrong)
    if len(addresses) < 2:
        return
    if len(addresses) > 2 or family(addresses[0]) == family(addresses[1]):
        errors.invalid(path, list(entries), "may specify no more than one IP for each IP family")
    for position, address in enumerate(addresses):
        if address in addresses[:position]:
            errors.duplicate(index(path, position), entries[position])
