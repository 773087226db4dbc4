"""CSINode: the volume drivers of a node."""

from pilothouse.api.machinery.columns import AGE, count
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.types.storage_v1 import CSINode

RESOURCE = Resource(
    kind=CSINode,
    group="storage.k8s.io",
    version="v1",
    plural="csinodes",
    singular="csinode",
    namespaced=False,
    generation=False,
    columns=(
        Column("Drivers", count("spec", "drivers"), type="integer"),
        AGE,
    ),
)
