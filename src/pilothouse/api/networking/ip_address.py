"""IPAddress: one allocated address, held by the object it names.

Source of the facts: pkg/apis/networking/validation/validation.go. API page: networking.k8s.io/v1 IPAddress; KEP-1880.
An address is its own name, so there must be one way to write it.
"""

from pilothouse.api.machinery.addresses import canonical_ip
from pilothouse.api.machinery.columns import NONE, dig
from pilothouse.api.machinery.field import FieldErrors, as_go_shows
from pilothouse.api.machinery.meta import IMMUTABLE
from pilothouse.api.machinery.names import dns_subdomain, path_segment
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.machinery.text_rules import validate_required_text, validate_text
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.networking_v1 import IPAddress
from pilothouse.runtime.clock import Instant

MANAGED_BY, FAMILY = "ipaddress.kubernetes.io/managed-by", "ipaddress.kubernetes.io/ip-family"
ALLOCATOR = "ipallocator.k8s.io"
"""Who manages the objects that go with Services."""
_PARENT = {"Group": "", "Resource": "", "Namespace": "", "Name": ""}


def _parent(obj: JsonObject, _now: Instant) -> str:
    found = dig(obj, "spec", "parentRef")
    if found is None:
        return NONE
    resource = ".".join(part for part in (found.get("resource", ""), found.get("group", "")) if part).lower()
    return "/".join(part for part in (resource, found.get("namespace", ""), found.get("name", "")) if part)


def is_of_a_service(obj: JsonObject) -> bool:
    """Whether the API server made it, for a Service that has the address."""
    return (dig(obj, "metadata", "labels") or {}).get(MANAGED_BY) == ALLOCATOR


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """Somebody holds it."""
    parent, path = dig(obj, "spec", "parentRef"), "spec.parentRef"
    if parent is None:
        errors.required(path)
        return
    if group := parent.get("group"):
        validate_text(group, dns_subdomain, errors, f"{path}.group")
    for name in ("resource", "name"):
        validate_required_text(parent.get(name), path_segment, errors, f"{path}.{name}")
    if namespace := parent.get("namespace"):
        validate_text(namespace, path_segment, errors, f"{path}.namespace")


def validate_update(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """It is not passed on, but released."""
    parent = dig(obj, "spec", "parentRef")
    if parent != dig(old, "spec", "parentRef"):
        errors.invalid("spec.parentRef", parent and as_go_shows(parent, _PARENT), IMMUTABLE)


RESOURCE = Resource(
    kind=IPAddress,
    group="networking.k8s.io",
    version="v1",
    plural="ipaddresses",
    singular="ipaddress",
    namespaced=False,
    short_names=("ip",),
    generation=False,
    validate=validate,
    validate_update=validate_update,
    validate_name=canonical_ip,
    columns=(Column("ParentRef", _parent),),
)
