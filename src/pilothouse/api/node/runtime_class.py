"""RuntimeClass: which container runtime handler runs a pod."""

from pilothouse.api.machinery.columns import AGE, show
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.types.node_v1 import RuntimeClass

RESOURCE = Resource(
    kind=RuntimeClass,
    group="node.k8s.io",
    version="v1",
    plural="runtimeclasses",
    singular="runtimeclass",
    namespaced=False,
    generation=False,
    columns=(
        Column("Handler", show("handler")),
        AGE,
    ),
)
