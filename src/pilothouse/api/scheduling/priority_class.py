"""PriorityClass: how important pods are.

Sources of the facts: pkg/apis/scheduling/v1/defaults.go and helpers.go, pkg/apis/scheduling/validation/validation.go.
API page: scheduling.k8s.io/v1 PriorityClass.
"""

from pilothouse.api.machinery.columns import AGE, dig, show
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.meta import IMMUTABLE
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.scheduling_v1 import PriorityClass

HIGHEST_USER_PRIORITY = 1_000_000_000
SYSTEM_CLASSES = {
    "system-node-critical": 2_000_001_000,
    "system-cluster-critical": 2_000_000_000,
}
"""The classes every cluster has, which nobody else may make."""
_POLICIES = ("Never", "PreemptLowerPriority")


def default(obj: JsonObject) -> None:
    """Pods of a class preempt others unless it says otherwise."""
    if obj.get("preemptionPolicy") is None:
        obj["preemptionPolicy"] = "PreemptLowerPriority"


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """Names with `system-` and values above a thousand million are the system's."""
    name, value = dig(obj, "metadata", "name") or "", obj.get("value") or 0
    if name.startswith("system-"):
        if problem := _wrong_with_system_class(name, value, default_class=bool(obj.get("globalDefault"))):
            reserved = "priority class names with 'system-' prefix are reserved for system use only. error: "
            errors.forbidden("metadata.name", reserved + problem)
    elif value > HIGHEST_USER_PRIORITY:
        errors.forbidden("value", f"maximum allowed value of a user defined priority is {HIGHEST_USER_PRIORITY}")
    policy = obj.get("preemptionPolicy")
    if policy == "":
        errors.required("preemptionPolicy")
    elif policy is not None and policy not in _POLICIES:
        errors.not_supported("preemptionPolicy", policy, reversed(_POLICIES))


def _wrong_with_system_class(name: str, value: int, *, default_class: bool) -> str:
    wanted = SYSTEM_CLASSES.get(name)
    if wanted is None:
        return f"{name} is not a known system priority class"
    if value != wanted:
        return f"value of {name} PriorityClass must be {wanted}"
    return f"globalDefault of {name} PriorityClass must be false" if default_class else ""


def validate_update(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """Pods carry the value and policy of their class, so neither can change."""
    if (obj.get("value") or 0) != (old.get("value") or 0):
        errors.forbidden("value", "may not be changed in an update.")
    if obj.get("preemptionPolicy") != old.get("preemptionPolicy"):
        errors.invalid("preemptionPolicy", obj.get("preemptionPolicy"), IMMUTABLE)


RESOURCE = Resource(
    kind=PriorityClass,
    group="scheduling.k8s.io",
    version="v1",
    plural="priorityclasses",
    singular="priorityclass",
    namespaced=False,
    short_names=("pc",),
    create_on_update=True,
    default=default,
    validate=validate,
    validate_update=validate_update,
    columns=(
        Column("Value", show("value", absent=0), type="integer"),
        Column("Global-Default", show("globalDefault", absent=False), type="boolean"),
        AGE,
        Column("PreemptionPolicy", show("preemptionPolicy")),
    ),
)
