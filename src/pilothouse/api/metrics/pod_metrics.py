"""PodMetrics: what a pod's containers use; computed, never stored."""

from collections.abc import Mapping

from pilothouse.api.machinery.columns import Cell, show
from pilothouse.api.machinery.quantity import parse_quantity, total
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.machinery.view import JsonObject, View
from pilothouse.api.types.meta_v1 import ListMeta, ObjectMeta
from pilothouse.runtime.clock import Instant


class ContainerMetrics(View):
    """One container's."""

    name: str
    usage: Mapping[str, str]


class PodMetrics(View):
    """One pod's."""

    apiVersion: str
    containers: tuple[ContainerMetrics, ...]
    kind: str
    metadata: ObjectMeta
    timestamp: Instant | None
    window: str


class PodMetricsList(View):
    """Those of several."""

    apiVersion: str
    items: tuple[PodMetrics, ...]
    kind: str
    metadata: ListMeta


def _of_all(name: str) -> Cell:
    """What the containers use together."""

    def cell(obj: JsonObject, _now: Instant) -> str:
        return str(total(parse_quantity(one["usage"][name]) for one in obj["containers"]))

    return cell


RESOURCE = Resource(
    kind=PodMetrics,
    group="metrics.k8s.io",
    version="v1beta1",
    plural="pods",
    verbs=("get", "list"),
    generation=False,
    columns=(
        *(Column(name, _of_all(name), format="quantity") for name in ("cpu", "memory", "swap")),
        Column("Window", show("window"), format="duration"),
    ),
)
