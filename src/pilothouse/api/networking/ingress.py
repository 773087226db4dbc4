"""Ingress: routes HTTP from outside to Services."""

from pilothouse.api.machinery.columns import AGE, NONE, dig, show
from pilothouse.api.machinery.resource import STATUS, Column, Resource
from pilothouse.api.machinery.strategy import fresh_status, keep_status
from pilothouse.api.machinery.view import JsonObject
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
    columns=(
        Column("Class", show("spec", "ingressClassName", absent=NONE)),
        Column("Hosts", _hosts),
        Column("Address", _address),
        Column("Ports", _ports),
        AGE,
    ),
)
