"""RuntimeClass: which container runtime handler runs a pod.

Sources of the facts: pkg/apis/node/validation/validation.go, pkg/api/node/util.go. API page: node.k8s.io/v1
RuntimeClass.
"""

from pilothouse.api.core.pod.resources import canonical_resources
from pilothouse.api.core.pod.validation.requirements import validate_requirements
from pilothouse.api.core.pod.validation.scheduling import validate_tolerations
from pilothouse.api.core.pod.warnings import NODE_LABELS
from pilothouse.api.machinery.columns import AGE, dig, show
from pilothouse.api.machinery.field import FieldErrors, as_go_shows, index
from pilothouse.api.machinery.meta import IMMUTABLE
from pilothouse.api.machinery.names import dns_label, validate_labels
from pilothouse.api.machinery.repeats import repeats
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.node_v1 import RuntimeClass

_TOLERATION = {"Key": "", "Operator": "", "Value": "", "Effect": "", "TolerationSeconds": None}


def default(obj: JsonObject) -> None:
    """The overhead is written canonically."""
    canonical_resources(dig(obj, "overhead", "podFixed") or {})


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """The handler is a DNS label, because it names a file or section of the runtime's configuration."""
    handler = obj.get("handler") or ""
    for wrong in dns_label(handler):
        errors.invalid("handler", handler, wrong)
    if (overhead := dig(obj, "overhead", "podFixed")) is not None:
        validate_requirements({"limits": overhead}, (), errors, "overhead")
    validate_labels(dig(obj, "scheduling", "nodeSelector") or {}, errors, "scheduling.nodeSelector")
    tolerations = dig(obj, "scheduling", "tolerations") or []
    validate_tolerations(tolerations, errors, "scheduling.tolerations")
    for position in repeats(tolerations):
        errors.duplicate(index("scheduling.tolerations", position), as_go_shows(tolerations[position], _TOLERATION))


def validate_update(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """Pods of a class all run under one handler."""
    if obj.get("handler") != old.get("handler"):
        errors.invalid("handler", obj.get("handler"), IMMUTABLE)


def warn(obj: JsonObject, _old: JsonObject | None) -> list[str]:
    """Labels of nodes that have newer names."""
    labels = dig(obj, "scheduling", "nodeSelector") or ()
    return [f"scheduling.nodeSelector: {NODE_LABELS[key]}" for key in labels if key in NODE_LABELS]


RESOURCE = Resource(
    kind=RuntimeClass,
    group="node.k8s.io",
    version="v1",
    plural="runtimeclasses",
    unconditional_update=False,
    singular="runtimeclass",
    namespaced=False,
    generation=False,
    default=default,
    validate=validate,
    validate_update=validate_update,
    warn=warn,
    columns=(Column("Handler", show("handler")), AGE),
)
