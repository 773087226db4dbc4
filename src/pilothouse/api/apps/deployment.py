"""Deployment: pods of one template, replaced step by step when it changes.

Sources of the facts: pkg/apis/apps/v1/defaults.go, pkg/apis/apps/validation/validation.go,
pkg/registry/apps/deployment/strategy.go, pkg/printers/internalversion/printers.go. API page: apps/v1 Deployment.
"""

from pilothouse.api.apps.replica_set import validate_pods, validate_replica_counts, validate_update
from pilothouse.api.core.pod.defaults import default_pod_template
from pilothouse.api.core.pod.warnings import warn_of_workload
from pilothouse.api.machinery.columns import AGE, containers, dig, show, show_selector
from pilothouse.api.machinery.field import FieldErrors, as_go_shows
from pilothouse.api.machinery.number_rules import (
    is_none,
    validate_count,
    validate_int_or_percent,
    validate_not_above_all,
    validate_only_grows,
)
from pilothouse.api.machinery.resource import Column, Resource, ScalePaths, Subresource
from pilothouse.api.machinery.strategy import fresh_status, keep_status
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.apps_v1 import Deployment
from pilothouse.runtime.clock import Instant

_COUNTS = ("observedGeneration", "replicas", "updatedReplicas", "readyReplicas", "availableReplicas",
           "unavailableReplicas", "terminatingReplicas", "collisionCount")  # fmt: skip
_STRATEGY = {"Type": "", "RollingUpdate": {"MaxUnavailable": 0, "MaxSurge": 0}}
_PARTS = ("updatedReplicas", "readyReplicas", "availableReplicas")


def default(obj: JsonObject) -> None:
    """One replica, a quarter of them replaced at a time, ten revisions to go back to, ten minutes to get on."""
    spec = obj.setdefault("spec", {})
    for name, value in (("replicas", 1), ("revisionHistoryLimit", 10), ("progressDeadlineSeconds", 600)):
        if spec.get(name) is None:
            spec[name] = value
    if spec.get("strategy") is None:
        spec["strategy"] = {}
    strategy = spec["strategy"]
    if not strategy.get("type"):
        strategy["type"] = "RollingUpdate"
    if strategy["type"] == "RollingUpdate":
        if strategy.get("rollingUpdate") is None:
            strategy["rollingUpdate"] = {}
        for name in ("maxUnavailable", "maxSurge"):
            if strategy["rollingUpdate"].get(name) is None:
                strategy["rollingUpdate"][name] = "25%"
    default_pod_template(spec.setdefault("template", {}))


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """As a ReplicaSet, and a strategy that can make progress."""
    spec = obj.get("spec") or {}
    validate_count(spec.get("replicas"), errors, "spec.replicas")
    validate_pods(spec, errors)
    _validate_strategy(spec.get("strategy") or {}, errors, "spec.strategy")
    ready = spec.get("minReadySeconds") or 0
    validate_count(ready, errors, "spec.minReadySeconds")
    validate_count(spec.get("revisionHistoryLimit"), errors, "spec.revisionHistoryLimit")
    deadline = spec.get("progressDeadlineSeconds")
    validate_count(deadline, errors, "spec.progressDeadlineSeconds")
    if deadline is not None and deadline <= ready:
        errors.invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")


def _validate_strategy(strategy: JsonObject, errors: FieldErrors, path: str) -> None:
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    where = f"{path}.rollingUpdate"
    if kind == "Recreate":
        if rolling is not None:
            errors.forbidden(where, "may not be specified when strategy `type` is 'Recreate'")
    elif kind != "RollingUpdate":
        errors.not_supported(path, as_go_shows(strategy, _STRATEGY), ("Recreate", "RollingUpdate"))
    elif rolling is None:
        errors.required(where, "this should be defaulted and never be nil")
    else:
        _validate_rolling(rolling, errors, where)


def _validate_rolling(rolling: JsonObject, errors: FieldErrors, path: str) -> None:
    unavailable, surge = rolling.get("maxUnavailable", 0), rolling.get("maxSurge", 0)
    validate_int_or_percent(unavailable, errors, f"{path}.maxUnavailable")
    validate_int_or_percent(surge, errors, f"{path}.maxSurge")
    if is_none(unavailable) and is_none(surge):
        errors.invalid(f"{path}.maxUnavailable", unavailable, "may not be 0 when `maxSurge` is 0")
    validate_not_above_all(unavailable, errors, f"{path}.maxUnavailable")


def prepare_for_status(obj: JsonObject, old: JsonObject) -> None:
    """Status and annotations are the controller's to write, spec and labels are not."""
    obj["spec"] = old.get("spec") or {}
    metadata, before = obj["metadata"], old.get("metadata") or {}
    metadata.pop("labels", None)
    if before.get("labels"):
        metadata["labels"] = before["labels"]


def validate_status(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """No part is larger than the whole, and the count of name collisions only grows."""
    validate_replica_counts(obj.get("status") or {}, _COUNTS, _PARTS, errors)
    validate_only_grows(obj, old, errors, "status.collisionCount")


def _ready(obj: JsonObject, _now: Instant) -> str:
    return f"{dig(obj, 'status', 'readyReplicas') or 0}/{dig(obj, 'spec', 'replicas') or 0}"


RESOURCE = Resource(
    kind=Deployment,
    group="apps",
    version="v1",
    plural="deployments",
    singular="deployment",
    short_names=("deploy",),
    categories=("all",),
    subresources=(
        Subresource("scale", kind="Scale", group="autoscaling", version="v1", scale=ScalePaths()),
        Subresource("status", prepare=prepare_for_status),
    ),
    default=default,
    counted_metadata=("annotations",),  # they are copied to the ReplicaSets
    prepare_for_create=fresh_status(),
    prepare_for_update=keep_status,
    validate=validate,
    validate_update=validate_update,
    validate_status=validate_status,
    warn=warn_of_workload,
    columns=(
        Column("Ready", _ready),
        Column("Up-to-date", show("status", "updatedReplicas", absent=0)),
        Column("Available", show("status", "availableReplicas", absent=0)),
        AGE,
        *containers("spec", "template", "spec"),
        Column("Selector", show_selector("spec", "selector", absent=""), priority=1),
    ),
)
