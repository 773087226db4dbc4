"""NodeMetrics: what a node uses; computed, never stored."""

from collections.abc import Mapping

from pilothouse.api.machinery.columns import show
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.machinery.view import View
from pilothouse.api.types.meta_v1 import ListMeta, ObjectMeta
from pilothouse.runtime.clock import Instant


class NodeMetrics(View):
    """One node's."""

    apiVersion: str
    kind: str
    metadata: ObjectMeta
    timestamp: Instant | None
    usage: Mapping[str, str]
    window: str


class NodeMetricsList(View):
    """Those of several."""

    apiVersion: str
    items: tuple[NodeMetrics, ...]
    kind: str
    metadata: ListMeta


RESOURCE = Resource(
    kind=NodeMetrics,
    group="metrics.k8s.io",
    version="v1beta1",
    plural="nodes",
    namespaced=False,
    verbs=("get", "list"),
    generation=False,
    columns=(
        *(Column(name, show("usage", name), format="quantity") for name in ("cpu", "memory", "swap")),
        Column("Window", show("window"), format="duration"),
    ),
)
