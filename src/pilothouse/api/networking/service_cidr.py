"""ServiceCIDR: a range that cluster IPs are allocated from."""

from pilothouse.api.machinery.columns import AGE, dig
from pilothouse.api.machinery.resource import STATUS, Column, Resource
from pilothouse.api.machinery.strategy import fresh_status, keep_status
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.networking_v1 import ServiceCIDR
from pilothouse.runtime.clock import Instant


def _cidrs(obj: JsonObject, _now: Instant) -> str:
    return ",".join(dig(obj, "spec", "cidrs") or ())


RESOURCE = Resource(
    kind=ServiceCIDR,
    group="networking.k8s.io",
    version="v1",
    plural="servicecidrs",
    singular="servicecidr",
    namespaced=False,
    subresources=(STATUS,),
    generation=False,
    prepare_for_create=fresh_status(),
    prepare_for_update=keep_status,
    columns=(
        Column("CIDRs", _cidrs),
        AGE,
    ),
)
