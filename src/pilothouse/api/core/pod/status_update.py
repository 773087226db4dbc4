"""What may change in a pod's status.

Source: ValidatePodStatusUpdate in pkg/apis/core/validation/validation.go.
"""

from typing import Any

from pilothouse.api.core.pod.update import check_annotations
from pilothouse.api.machinery import names
from pilothouse.api.machinery.addresses import family, ip
from pilothouse.api.machinery.field import FieldErrors, as_go_shows, index
from pilothouse.api.machinery.meta import IMMUTABLE
from pilothouse.api.machinery.repeats import repeats
from pilothouse.api.machinery.view import JsonObject

_ADDRESS = {"IP": ""}
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
    for field, kind in (("containerStatuses", "containers"), ("initContainerStatuses", "initContainers")):
        own = {container.get("name"): container for container in spec.get(kind) or ()}
        if not _all_may_restart(spec):
            _validate_transitions(status, before, field, policy, own, errors)
    _validate_transitions(status, before, "ephemeralContainerStatuses", "Never", {}, errors)
    _validate_addresses(status.get("podIPs") or (), errors, "status.podIPs")
    hosts = status.get("hostIPs") or ()
    if hosts and (hosts[0].get("ip") or "") != (status.get("hostIP") or ""):
        errors.invalid("status.hostIPs[0].ip", hosts[0].get("ip"), "must be equal to `hostIP`")
    _validate_addresses(hosts, errors, "status.hostIPs")


def _all_may_restart(spec: JsonObject) -> bool:
    """Whether a container's end may have the whole pod start anew (KEP-5532)."""
    containers = (container for kind in ("initContainers", "containers") for container in spec.get(kind) or ())
    return any(
        rule.get("action") == "RestartAllContainers"
        for container in containers
        for rule in container.get("restartPolicyRules") or ()
    )


def _validate_transitions(
    status: JsonObject, before: JsonObject, field: str, policy: str, own: dict[Any, JsonObject], errors: FieldErrors
) -> None:
    """A container that has ended for good does not run again."""
    if policy == "Always":
        return
    now = {container.get("name"): container for container in status.get(field) or ()}
    for position, stored in enumerate(before.get(field) or ()):
        name = stored.get("name")
        ended = (stored.get("state") or {}).get("terminated")
        if ended is None or _may_run_again(own.get(name, {}), policy, ended.get("exitCode") or 0):
            continue
        if name in now and (now[name].get("state") or {}).get("terminated") is None:
            words = "may not be transitioned to non-terminated state"
            errors.forbidden(f"status.{field}[{position}].state", words)


def _may_run_again(container: JsonObject, policy: str, exit_code: int) -> bool:
    """By the container's own rules and policy (KEP-5307), else by the pod's."""
    for rule in container.get("restartPolicyRules") or ():
        codes = rule.get("exitCodes") or {}
        if (exit_code in (codes.get("values") or ())) == (codes.get("operator") == "In"):
            return True
    wanted = container.get("restartPolicy") or policy
    return wanted == "Always" or (wanted == "OnFailure" and exit_code != 0)


def _validate_addresses(entries: Any, errors: FieldErrors, path: str) -> None:
    addresses = [entry.get("ip") or "" for entry in entries]
    for position, address in enumerate(addresses):
        for wrong in ip(address):
            errors.invalid(index(path, position), address, wrong)
    if len(addresses) < 2:
        return
    if len(addresses) > 2 or family(addresses[0]) == family(addresses[1]):
        errors.invalid(
            path,
            [as_go_shows(entry, _ADDRESS) for entry in entries],
            "may specify no more than one IP for each IP family",
        )
    for position in repeats(addresses):
        errors.duplicate(index(path, position), as_go_shows(entries[position], _ADDRESS))
