"""Ingress: routes HTTP from outside to Services.

`validation` has its rules. Sources of the facts: pkg/registry/networking/ingress/strategy.go,
pkg/printers/internalversion/printers.go. API page: networking.k8s.io/v1 Ingress.
"""

from pilothouse.api.machinery.columns import AGE, NONE, dig, show
from pilothouse.api.machinery.resource import STATUS, Column, Resource
from pilothouse.api.machinery.strategy import fresh_status, keep_status
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.networking.ingress.validation import CLASS_ANNOTATION, validate, validate_create, validate_status
from pilothouse.api.types.networking_v1 import Ingress
from pilothouse.runtime.clock import Instant


def _hosts(obj: JsonObject, _now: Instant) -> str:
    rules = dig(obj, "spec", "rules") or ()
    named = [position for position, rule in enumerate(rules) if rule.get("host")][:_SHOWN_HOSTS]
    if not named:
        return "*"
    shown = ",".join(rules[position]["host"] for position in named)
    cut = len(named) == _SHOWN_HOSTS and named[-1] + 1 < len(rules)
    return f"{shown} + {len(rules) - _SHOWN_HOSTS} more..." if cut else shown


_SHOWN_HOSTS = 3


def _address(obj: JsonObject, _now: Instant) -> str:
    ingress = dig(obj, "status", "loadBalancer", "ingress") or ()
    return ",".join(sorted({found for i in ingress if (found := i.get("ip") or i.get("hostname"))}))


def _ports(obj: JsonObject, _now: Instant) -> str:
    return "80, 443" if dig(obj, "spec", "tls") else "80"


def warn(obj: JsonObject, old: JsonObject | None) -> list[str]:
    """A new object should name its class in the field."""
    annotated = CLASS_ANNOTATION in (dig(obj, "metadata", "annotations") or {})
    if old is not None or not annotated or dig(obj, "spec", "ingressClassName") is not None:
        return []
    return [f"annotation \"{CLASS_ANNOTATION}\" is deprecated, please use 'spec.ingressClassName' instead"]


RESOURCE = Resource(
    kind=Ingress,
    group="networking.k8s.io",
    version="v1",
    plural="ingresses",
    singular="ingress",
    short_names=("ing",),
    subresources=(STATUS,),
    prepare_for_create=fresh_status(loadBalancer={}),
    prepare_for_update=keep_status,
    validate=validate,
    validate_create=validate_create,
    validate_status=validate_status,
    warn=warn,
    columns=(
        Column("Class", show("spec", "ingressClassName", absent=NONE)),
        Column("Hosts", _hosts),
        Column("Address", _address),
        Column("Ports", _ports),
        AGE,
    ),
)
