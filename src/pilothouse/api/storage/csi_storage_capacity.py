"""CSIStorageCapacity: how much room a driver has for a storage class.

Sources of the facts: pkg/apis/storage/validation/validation.go, pkg/api/storage/util.go. API page: storage.k8s.io/v1
CSIStorageCapacity; KEP-1472.
"""

from pilothouse.api.core.pod.resources import canonical_quantity
from pilothouse.api.core.pod.warnings import NODE_LABELS
from pilothouse.api.machinery.columns import UNSET, show
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.meta import validate_immutable
from pilothouse.api.machinery.names import dns_subdomain
from pilothouse.api.machinery.quantity_rules import validate_quantity
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.machinery.selector_rules import validate_label_selector
from pilothouse.api.machinery.text_rules import validate_text
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.storage_v1 import CSIStorageCapacity


def default(obj: JsonObject) -> None:
    """Amounts are canonical."""
    for name in ("capacity", "maximumVolumeSize"):
        if obj.get(name) is not None:
            obj[name] = canonical_quantity(obj[name])


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """Which nodes, which class, how much."""
    validate_label_selector(obj.get("nodeTopology"), errors, "nodeTopology")
    validate_text(obj.get("storageClassName") or "", dns_subdomain, errors, "storageClassName")
    validate_quantity(obj.get("capacity"), errors, "capacity")


def validate_update(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """What was asked of the driver stays; what it answered may change."""
    validate_immutable(obj.get("nodeTopology"), old.get("nodeTopology"), errors, "nodeTopology")
    validate_immutable(obj.get("storageClassName"), old.get("storageClassName"), errors, "storageClassName")


def warn(obj: JsonObject, _old: JsonObject | None) -> list[str]:
    """Labels of nodes that have newer names."""
    topology = obj.get("nodeTopology") or {}
    found = [
        f"nodeTopology.matchExpressions[{position}].key: {key} is {NODE_LABELS[key]}"
        for position, expression in enumerate(topology.get("matchExpressions") or ())
        if (key := expression.get("key")) in NODE_LABELS
    ]
    labels = (key for key in topology.get("matchLabels") or () if key in NODE_LABELS)
    return [*found, *(f"nodeTopology.matchLabels.{key}: {NODE_LABELS[key]}" for key in labels)]


RESOURCE = Resource(
    kind=CSIStorageCapacity,
    group="storage.k8s.io",
    version="v1",
    plural="csistoragecapacities",
    singular="csistoragecapacity",
    generation=False,
    unconditional_update=False,
    default=default,
    validate=validate,
    validate_update=validate_update,
    warn=warn,
    columns=(
        Column("StorageClassName", show("storageClassName")),
        Column("Capacity", show("capacity", absent=UNSET)),
    ),
)
