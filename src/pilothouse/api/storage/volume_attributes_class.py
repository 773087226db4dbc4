"""VolumeAttributesClass: mutable attributes of volumes, by name."""

from pilothouse.api.machinery.columns import AGE, show
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.types.storage_v1 import VolumeAttributesClass

RESOURCE = Resource(
    kind=VolumeAttributesClass,
    group="storage.k8s.io",
    version="v1",
    plural="volumeattributesclasses",
    singular="volumeattributesclass",
    namespaced=False,
    short_names=("vac",),
    generation=False,
    columns=(
        Column("DriverName", show("driverName")),
        AGE,
    ),
)
