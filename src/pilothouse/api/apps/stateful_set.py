"""StatefulSet: pods with stable names and storage.

Sources of the facts: pkg/apis/apps/v1/defaults.go, pkg/apis/apps/validation/validation.go,
pkg/registry/apps/statefulset/strategy.go, pkg/printers/internalversion/printers.go. API page: apps/v1 StatefulSet.
Rules that came late are not held against what was stored before: those of `serviceName`, of claims and of the pod
template as a whole.
"""

from typing import Any

from pilothouse.api.apps.replica_set import validate_replica_counts
from pilothouse.api.core.persistent_volume_claim import default as default_claim
from pilothouse.api.core.persistent_volume_claim.validation import validate_claim_spec
from pilothouse.api.core.pod.defaults import default_pod_template
from pilothouse.api.core.pod.validation import validate_pod_template
from pilothouse.api.core.pod.warnings import warn_of_workload
from pilothouse.api.machinery.columns import AGE, containers, dig
from pilothouse.api.machinery.field import FieldErrors, as_go_shows
from pilothouse.api.machinery.names import dns_label
from pilothouse.api.machinery.number_rules import (
    is_none,
    validate_count,
    validate_int_or_percent,
    validate_not_above_all,
    validate_only_grows,
)
from pilothouse.api.machinery.resource import STATUS, Column, Resource, ScalePaths, Subresource
from pilothouse.api.machinery.selector_rules import validate_label_selector
from pilothouse.api.machinery.selectors import from_label_selector
from pilothouse.api.machinery.strategy import fresh_status, keep_status
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.apps_v1 import StatefulSet
from pilothouse.runtime.clock import Instant

_MUTABLE = frozenset({"replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
                      "persistentVolumeClaimRetentionPolicy", "minReadySeconds"})  # fmt: skip
_COUNTS = ("replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas",
           "observedGeneration", "collisionCount")  # fmt: skip
_PARTS = ("readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas")
_ROLLING = {"Partition": 0, "MaxUnavailable": None}
_STRATEGY = {"Type": "", "RollingUpdate": _ROLLING}
_POLICIES = ("Retain", "Delete")


def default(obj: JsonObject) -> None:
    """One replica, pods one after the other, claims kept, ten revisions to go back to."""
    spec = obj.setdefault("spec", {})
    for name, value in (("replicas", 1), ("revisionHistoryLimit", 10), ("podManagementPolicy", "OrderedReady")):
        if spec.get(name) in (None, ""):
            spec[name] = value
    if spec.get("updateStrategy") is None:
        spec["updateStrategy"] = {}
    _default_strategy(spec["updateStrategy"])
    if spec.get("persistentVolumeClaimRetentionPolicy") is None:
        spec["persistentVolumeClaimRetentionPolicy"] = {}
    for name in ("whenDeleted", "whenScaled"):
        if not spec["persistentVolumeClaimRetentionPolicy"].get(name):
            spec["persistentVolumeClaimRetentionPolicy"][name] = "Retain"
    for claim in spec.get("volumeClaimTemplates") or ():
        claim.update(apiVersion="v1", kind="PersistentVolumeClaim")
        default_claim(claim)
    default_pod_template(spec.setdefault("template", {}))


def _default_strategy(strategy: JsonObject) -> None:
    if not strategy.get("type"):
        strategy["type"] = "RollingUpdate"
        if strategy.get("rollingUpdate") is None:
            strategy["rollingUpdate"] = {}
    rolling = strategy.get("rollingUpdate")
    if strategy["type"] == "RollingUpdate" and rolling is not None:
        for name, value in (("partition", 0), ("maxUnavailable", 1)):
            if rolling.get(name) is None:
                rolling[name] = value


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """How it may be rolled out, and that its selector selects what its template makes."""
    spec = obj.get("spec") or {}
    policy = spec.get("podManagementPolicy") or ""
    if not policy:
        errors.required("spec.podManagementPolicy")
    elif policy not in ("OrderedReady", "Parallel"):
        errors.invalid("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'")
    _validate_strategy(spec.get("updateStrategy") or {}, errors, "spec.updateStrategy")
    for name, value in (spec.get("persistentVolumeClaimRetentionPolicy") or {}).items():
        if value not in _POLICIES:
            errors.not_supported(f"spec.persistentVolumeClaimRetentionPolicy.{name}", value, _POLICIES)
    validate_count(spec.get("replicas"), errors, "spec.replicas")
    validate_count(spec.get("minReadySeconds"), errors, "spec.minReadySeconds")
    validate_count(dig(spec, "ordinals", "start"), errors, "spec.ordinals.start")
    _validate_selector(spec, errors, "spec.selector")
    pod = dig(spec, "template", "spec") or {}
    if (restart := pod.get("restartPolicy") or "") != "Always":
        errors.not_supported("spec.template.spec.restartPolicy", restart, ("Always",))
    if pod.get("activeDeadlineSeconds") is not None:
        why = "activeDeadlineSeconds in StatefulSet is not Supported"
        errors.forbidden("spec.template.spec.activeDeadlineSeconds", why)


def _validate_strategy(strategy: JsonObject, errors: FieldErrors, path: str) -> None:
    kind, rolling = strategy.get("type") or "", strategy.get("rollingUpdate")
    if not kind:
        errors.required(path)
    elif kind == "OnDelete":
        if rolling is not None:
            why = "only allowed for updateStrategy 'RollingUpdate'"
            errors.invalid(f"{path}.rollingUpdate", as_go_shows(rolling, _ROLLING), why)
    elif kind != "RollingUpdate":
        errors.invalid(path, as_go_shows(strategy, _STRATEGY), "must be 'RollingUpdate' or 'OnDelete'")
    elif rolling is not None:
        validate_count(rolling.get("partition"), errors, f"{path}.rollingUpdate.partition")
        if (unavailable := rolling.get("maxUnavailable")) is not None:
            _validate_unavailable(unavailable, errors, f"{path}.rollingUpdate.maxUnavailable")


def _validate_unavailable(value: Any, errors: FieldErrors, path: str) -> None:
    validate_int_or_percent(value, errors, path)
    if is_none(value):
        errors.invalid(path, value, "cannot be 0")
    validate_not_above_all(value, errors, path)


def _validate_selector(spec: JsonObject, errors: FieldErrors, path: str) -> None:
    selector, before = spec.get("selector"), len(errors)
    validate_label_selector(selector, errors, path)
    good = len(errors) == before
    if selector is None:
        errors.required(path)
    elif not selector.get("matchLabels") and not selector.get("matchExpressions"):
        errors.invalid(path, selector, "empty selector is invalid for statefulset")
    labels = dig(spec, "template", "metadata", "labels")
    if not good:
        errors.invalid(path, selector, "")
    elif not from_label_selector(selector).matches(labels or {}):
        why = "`selector` does not match template `labels`"
        errors.invalid("spec.template.metadata.labels", labels or None, why)


def validate_create(obj: JsonObject, errors: FieldErrors) -> None:
    """What has not always been asked for: a service whose name can be part of a pod's, and a template that works."""
    spec = obj.get("spec") or {}
    if service := spec.get("serviceName"):
        for wrong in dns_label(service):
            errors.invalid("spec.serviceName", service, wrong)
    _validate_template(spec, errors)


def _validate_template(spec: JsonObject, errors: FieldErrors) -> None:
    """The template with the volumes that the claims will be: they take the places of its own of the same names."""
    template = spec.get("template") or {}
    for position, claim in enumerate(spec.get("volumeClaimTemplates") or ()):
        validate_claim_spec(claim.get("spec") or {}, errors, f"spec.volumeClaimTemplates[{position}].spec")
    names = [dig(claim, "metadata", "name") or "" for claim in spec.get("volumeClaimTemplates") or ()]
    if names:
        pod = template.get("spec") or {}
        claimed = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in names]
        own = [volume for volume in pod.get("volumes") or () if volume.get("name") not in names]
        template = {**template, "spec": {**pod, "volumes": claimed + own}}
    validate_pod_template(template, errors, "spec.template")


def validate_update(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """Names and storage of pods stay; a template that works is not replaced by one that does not."""
    spec, before = obj.get("spec") or {}, old.get("spec") or {}
    if spec.get("template") != before.get("template"):
        was_wrong = FieldErrors()
        _validate_template(before, was_wrong)
        if not was_wrong:
            _validate_template(spec, errors)
    if _fixed(spec) != _fixed(before):
        errors.forbidden(
            "spec",
            "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
            "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
        )


def _fixed(spec: JsonObject) -> JsonObject:
    return {name: value for name, value in spec.items() if name not in _MUTABLE and value not in (None, "", [], {})}


def validate_status(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """No part is larger than the whole, and the count of name collisions only grows."""
    validate_replica_counts(obj.get("status") or {}, _COUNTS, _PARTS, errors, "status.readyReplicas")
    validate_only_grows(obj, old, errors, "status.collisionCount")


def _ready(obj: JsonObject, _now: Instant) -> str:
    return f"{dig(obj, 'status', 'readyReplicas') or 0}/{dig(obj, 'spec', 'replicas') or 0}"


RESOURCE = Resource(
    kind=StatefulSet,
    group="apps",
    version="v1",
    plural="statefulsets",
    singular="statefulset",
    short_names=("sts",),
    categories=("all",),
    subresources=(
        Subresource("scale", kind="Scale", group="autoscaling", version="v1", scale=ScalePaths()),
        STATUS,
    ),
    default=default,
    prepare_for_create=fresh_status(availableReplicas=0, replicas=0),
    prepare_for_update=keep_status,
    validate=validate,
    validate_create=validate_create,
    validate_update=validate_update,
    validate_status=validate_status,
    validate_name=dns_label,
    warn=warn_of_workload,
    columns=(Column("Ready", _ready), AGE, *containers("spec", "template", "spec")),
)
