"""Subsets: addresses that answer at the same ports, in one form only, so that equal ones compare as equal. Pure.

Each port knows who offers it; ports offered by the same addresses in the same state share a subset. Above a thousand
addresses those that are not ready are left out first, and of each subset its part. Upstream: RepackSubsets in
pkg/api/v1/endpoints, truncateEndpoints in pkg/controller/endpoint. Upstream orders ports and subsets by a hash; here
they are in the order of their names.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Endpoints, Pod, Service
from pilothouse.controllers.endpointslice.endpoint import families_of
from pilothouse.controllers.endpointslice.packing import HEADLESS, TRIGGER_TIME
from pilothouse.controllers.endpointslice.pods import (
    addresses_of,
    has_endpoints,
    hostname_of,
    is_headless,
    target_port,
)
from pilothouse.reconcile.pods import is_ready
from pilothouse.runtime.clock import Instant, format_time

CAPACITY = 1000
OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity"
MANAGED_BY = "endpoints.kubernetes.io/managed-by"
MANAGER = "endpoint-controller"

_Port = tuple[str, int, str, str]
_NO_PORT: _Port = ("", 0, "", "")
_Place = tuple[str, str]


def plan_subsets(service: Service, pods: Iterable[Pod]) -> list[JsonObject]:
    """What the pods behind a Service offer. Pods told to end count where the Service asks for everything."""
    everything = bool(service.spec.publishNotReadyAddresses)
    family = families_of(service)[0] if service.spec.ipFamilies or not is_headless(service) else ""
    addresses: dict[_Place, JsonObject] = {}
    offers: dict[_Port, dict[_Place, bool]] = {}
    for pod in pods:
        address = _address(service, pod, family) if has_endpoints(pod, terminating=everything) else None
        if address is None:
            continue
        place = (address["ip"], pod.metadata.uid)
        addresses[place] = address
        for port in _ports(service, pod):
            offers.setdefault(port, {})[place] = everything or is_ready(pod)
    together: dict[tuple[tuple[_Place, bool], ...], list[_Port]] = {}
    for port, places in sorted(offers.items()):
        together.setdefault(tuple(sorted(places.items())), []).append(port)
    return [_subset(offered, ports, addresses) for offered, ports in together.items()]


def _address(service: Service, pod: Pod, family: str) -> JsonObject | None:
    """The address of a pod in the family of its Service; without one, in that of the pod's first."""
    own = addresses_of(pod)
    wanted = ":" in own[0] if not family else family == "IPv6"
    ip = next((address for address in own if (":" in address) == wanted), "")
    if not ip:
        return None
    meta = pod.metadata
    target = {"kind": "Pod", "namespace": meta.namespace, "name": meta.name, "uid": meta.uid}
    found: JsonObject = {"ip": ip, "targetRef": target}
    if pod.spec.nodeName:
        found["nodeName"] = pod.spec.nodeName
    if hostname := hostname_of(pod, service):
        found["hostname"] = hostname
    return found


def _ports(service: Service, pod: Pod) -> list[_Port]:
    if not service.spec.ports:
        return [_NO_PORT] if service.spec.clusterIP == "None" else []
    numbers = [(port, target_port(pod, port)) for port in service.spec.ports]
    return [(port.name, number, port.protocol or "TCP", port.appProtocol) for port, number in numbers if number]


def _subset(
    offered: Iterable[tuple[_Place, bool]], ports: Iterable[_Port], addresses: Mapping[_Place, JsonObject]
) -> JsonObject:
    ready = [addresses[place] for place, is_up in offered if is_up]
    others = [addresses[place] for place, is_up in offered if not is_up]
    shown: list[JsonObject] = []
    for name, number, protocol, application in ports:
        if number:
            port: JsonObject = {"name": name, "port": number, "protocol": protocol, "appProtocol": application}
            shown.append({field: value for field, value in port.items() if value})
    fields: JsonObject = {"addresses": ready, "notReadyAddresses": others, "ports": shown}
    return {field: value for field, value in fields.items() if value}


def truncate(subsets: Sequence[JsonObject], most: int = CAPACITY) -> tuple[list[JsonObject], bool]:
    """Of too many addresses those that are kept, and whether there were too many."""
    ready, others = (sum(len(subset.get(field, ())) for subset in subsets) for field in _STATES)
    if ready + others <= most:
        return [*subsets], False
    if ready > most:
        bare = [{field: value for field, value in subset.items() if field != _STATES[1]} for subset in subsets]
        return _cut(bare, _STATES[0], ready, most), True
    return _cut(subsets, _STATES[1], others, most - ready), True


_STATES = ("addresses", "notReadyAddresses")


def _cut(subsets: Iterable[JsonObject], field: str, total: int, most: int) -> list[JsonObject]:
    """Leave each subset its share of the addresses in `field`, rounded up while there is room."""
    left, kept = most, []
    for subset in subsets:
        addresses = subset.get(field, [])
        some = addresses[: min(left, math.ceil(len(addresses) / total * most))]
        left -= len(some)
        shown = {**subset, field: some}
        kept.append({name: value for name, value in shown.items() if value})
    return [subset for subset in kept if any(state in subset for state in _STATES)]


def plan_endpoints(
    service: Service, pods: Iterable[Pod], known: Endpoints | None, since: Instant | None
) -> JsonObject | None:
    """The object to write; None where it says what it should. `since` is when that became true."""
    subsets, cut = truncate(plan_subsets(service, pods))
    labels = {**service.metadata.labels, MANAGED_BY: MANAGER}
    labels.pop(HEADLESS, None)
    if is_headless(service):
        labels[HEADLESS] = ""
    annotations: dict[str, str] = dict(known.metadata.annotations) if known is not None else {}
    if known is not None and _says(known, subsets, labels, cut=cut):
        return None
    annotations.pop(OVER_CAPACITY, None)
    annotations.pop(TRIGGER_TIME, None)
    if cut:
        annotations[OVER_CAPACITY] = "truncated"
    if since is not None:
        annotations[TRIGGER_TIME] = format_time(since)
    meta = dict(known.metadata.raw) if known is not None else {}
    named = {"name": service.metadata.name, "namespace": service.metadata.namespace}
    return {"metadata": {**meta, **named, "labels": labels, "annotations": annotations}, "subsets": subsets}


def _says(known: Endpoints, subsets: Sequence[Mapping[str, Any]], labels: Mapping[str, str], *, cut: bool) -> bool:
    if known.metadata.labels != labels or (OVER_CAPACITY in known.metadata.annotations) != cut:
        return False
    return [_bare(subset) for subset in known.raw.get("subsets") or ()] == [_bare(subset) for subset in subsets]


def _bare(subset: Mapping[str, Any]) -> JsonObject:
    """A subset without what does not matter: which revision of its pod an address names."""
    found = dict(subset)
    for state in _STATES:
        if state in found:
            found[state] = [_unversioned(address) for address in found[state]]
    return found


def _unversioned(address: JsonObject) -> JsonObject:
    target = address.get("targetRef") or {}
    if "resourceVersion" not in target:
        return address
    return {**address, "targetRef": {name: value for name, value in target.items() if name != "resourceVersion"}}
