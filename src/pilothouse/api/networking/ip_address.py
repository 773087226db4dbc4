"""IPAddress: one allocated address, held by the object it names."""

from pilothouse.api.machinery.addresses import parse
from pilothouse.api.machinery.columns import NONE, dig
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.networking_v1 import IPAddress
from pilothouse.runtime.clock import Instant


def _parent(obj: JsonObject, _now: Instant) -> str:
    found = dig(obj, "spec", "parentRef")
    if found is None:
        return NONE
    resource = ".".join(part for part in (found.get("resource", ""), found.get("group", "")) if part).lower()
    return "/".join(part for part in (resource, found.get("namespace", ""), found.get("name", "")) if part)


def canonical_ip(name: str) -> list[str]:
    """An address is its own name, so there must be one way to write it."""
    address = parse(name)
    if address is None:
        return ["must be a valid IP address"]
    return [] if str(address) == name else ["must be a canonical format IP address"]


RESOURCE = Resource(
    kind=IPAddress,
    group="networking.k8s.io",
    version="v1",
    plural="ipaddresses",
    singular="ipaddress",
    namespaced=False,
    short_names=("ip",),
    generation=False,
    validate_name=canonical_ip,
    columns=(Column("ParentRef", _parent),),
)
