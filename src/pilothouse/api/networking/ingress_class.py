"""IngressClass: which controller serves an Ingress."""

from pilothouse.api.machinery.columns import AGE, NONE, dig, show
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.networking_v1 import IngressClass
from pilothouse.runtime.clock import Instant


def _parameters(obj: JsonObject, _now: Instant) -> str:
    found = dig(obj, "spec", "parameters")
    if found is None:
        return NONE
    group = f".{found['apiGroup']}" if found.get("apiGroup") is not None else ""
    return f"{found.get('kind', '')}{group}/{found.get('name', '')}"


RESOURCE = Resource(
    kind=IngressClass,
    group="networking.k8s.io",
    version="v1",
    plural="ingressclasses",
    singular="ingressclass",
    namespaced=False,
    columns=(
        Column("Controller", show("spec", "controller")),
        Column("Parameters", _parameters),
        AGE,
    ),
)
