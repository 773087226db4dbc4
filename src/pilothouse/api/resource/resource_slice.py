"""ResourceSlice: devices of one driver and pool."""

from pilothouse.api.machinery.columns import AGE, field_text, show
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.types.resource_v1 import ResourceSlice

RESOURCE = Resource(
    kind=ResourceSlice,
    group="resource.k8s.io",
    version="v1",
    plural="resourceslices",
    singular="resourceslice",
    namespaced=False,
    columns=(
        Column("Node", show("spec", "nodeName")),
        Column("Driver", show("spec", "driver")),
        Column("Pool", show("spec", "pool", "name")),
        AGE,
    ),
    selectable_fields={"spec.driver": field_text("spec", "driver"), "spec.nodeName": field_text("spec", "nodeName")},
)
