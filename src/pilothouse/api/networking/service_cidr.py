"""ServiceCIDR: a range that cluster IPs are allocated from.

Source of the facts: pkg/apis/networking/validation/validation.go. API page: networking.k8s.io/v1 ServiceCIDR; KEP-1880.
"""

from collections.abc import Sequence

from pilothouse.api.machinery.addresses import canonical_cidr, family
from pilothouse.api.machinery.columns import AGE, dig
from pilothouse.api.machinery.field import FieldErrors, index
from pilothouse.api.machinery.meta import IMMUTABLE
from pilothouse.api.machinery.resource import STATUS, Column, Resource
from pilothouse.api.machinery.strategy import fresh_status, keep_status
from pilothouse.api.machinery.text_rules import validate_text
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.networking_v1 import ServiceCIDR
from pilothouse.runtime.clock import Instant

DEFAULT = "kubernetes"
"""The one that every cluster has."""
FINALIZER = "networking.k8s.io/service-cidr-finalizer"
READY = "Ready"


def _cidrs(obj: JsonObject, _now: Instant) -> str:
    return ",".join(dig(obj, "spec", "cidrs") or ())


_PATH = "spec.cidrs"
_ONE_A_FAMILY = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"


def validate_create(obj: JsonObject, errors: FieldErrors) -> None:
    """One block, or one of each family."""
    _validate_blocks(_blocks(obj), errors)


def _blocks(obj: JsonObject) -> Sequence[str]:
    return dig(obj, "spec", "cidrs") or []


def _validate_blocks(blocks: Sequence[str], errors: FieldErrors) -> None:
    if not blocks:
        errors.required(_PATH, "at least one CIDR required")
        return
    if len(blocks) > 2:
        errors.invalid(_PATH, {"CIDRs": blocks}, "may only hold up to 2 values")
        return
    for position, block in enumerate(blocks):
        validate_text(block, canonical_cidr, errors, index(_PATH, position))
    families = [family(block.partition("/")[0]) for block in blocks]
    if len(families) == 2 and families[0] == families[1] and families[0]:
        errors.invalid(_PATH, blocks, _ONE_A_FAMILY)


def validate_update(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """Addresses are taken from it; a block of the other family may join."""
    blocks, before = _blocks(obj), _blocks(old)
    if len(blocks) != len(before) and (len(before), len(blocks)) != (1, 2):
        errors.invalid(_PATH, blocks or None, IMMUTABLE)
        return
    for position, (block, stored) in enumerate(zip(blocks, before, strict=False)):
        if block != stored:
            errors.invalid(index(_PATH, position), block, IMMUTABLE)
    if len(blocks) > len(before):
        _validate_blocks(blocks, errors)


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
    validate_create=validate_create,
    validate_update=validate_update,
    columns=(
        Column("CIDRs", _cidrs),
        AGE,
    ),
)
