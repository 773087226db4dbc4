"""Service: a stable address for a set of pods.

`defaults` fills in, `strategy` divines what a writer meant by the fields that depend on each other, `families` decides
on IPv4 and IPv6, `validation` holds the rules. The API server allocates addresses and node ports between the strategy
and the validation. API page: core/v1 Service; columns from pkg/printers/internalversion/printers.go.
"""

from pilothouse.api.core.service.defaults import default
from pilothouse.api.core.service.strategy import prepare_for_create, prepare_for_update
from pilothouse.api.core.service.validation import validate, validate_status, validate_update
from pilothouse.api.core.service.warnings import warn
from pilothouse.api.machinery.columns import AGE, NONE, dig, field_text, show, show_labels
from pilothouse.api.machinery.names import dns_label
from pilothouse.api.machinery.resource import STATUS, Column, Resource, Subresource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Service
from pilothouse.runtime.clock import Instant


def _cluster_ip(obj: JsonObject, _now: Instant) -> str:
    addresses = dig(obj, "spec", "clusterIPs") or [NONE]
    return str(addresses[0])


def _external_ip(obj: JsonObject, _now: Instant) -> str:
    spec = obj.get("spec") or {}
    kind, external = spec.get("type"), spec.get("externalIPs") or []
    if kind in ("ClusterIP", "NodePort"):
        return ",".join(external) or NONE
    if kind == "LoadBalancer":
        ingress = dig(obj, "status", "loadBalancer", "ingress") or ()
        given = sorted({address for i in ingress if (address := i.get("ip") or i.get("hostname"))})
        return ",".join([*given, *external]) or "<pending>"
    return spec.get("externalName") or "" if kind == "ExternalName" else "<unknown>"


def _ports(obj: JsonObject, _now: Instant) -> str:
    texts = []
    for port in dig(obj, "spec", "ports") or ():
        node_port = f":{port['nodePort']}" if port.get("nodePort") else ""
        texts.append(f"{port.get('port', 0)}{node_port}/{port.get('protocol', '')}")
    return ",".join(texts) or NONE


RESOURCE = Resource(
    kind=Service,
    group="",
    version="v1",
    plural="services",
    answers_deleted_object=True,
    singular="service",
    short_names=("svc",),
    categories=("all",),
    subresources=(
        Subresource("proxy", kind="ServiceProxyOptions", verbs=("create", "delete", "get", "patch", "update")),
        STATUS,
    ),
    generation=False,
    create_on_update=True,
    default=default,
    prepare_for_create=prepare_for_create,
    prepare_for_update=prepare_for_update,
    validate=validate,
    validate_update=validate_update,
    validate_status=validate_status,
    warn=warn,
    validate_name=dns_label,
    columns=(
        Column("Type", show("spec", "type")),
        Column("Cluster-IP", _cluster_ip),
        Column("External-IP", _external_ip),
        Column("Port(s)", _ports),
        AGE,
        Column("Selector", show_labels("spec", "selector"), priority=1),
    ),
    selectable_fields={
        "spec.clusterIP": field_text("spec", "clusterIP"),
        "spec.type": field_text("spec", "type"),
    },
)
