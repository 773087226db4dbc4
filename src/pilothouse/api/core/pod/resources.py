"""Amounts of resources in a pod: their canonical text, and sums over containers.

A pod starts its init containers one after the other, each beside the sidecars (init containers that restart) started
before it, and then its containers beside all sidecars; what it needs is the largest of these sums. Source: the resource
sharing rules of KEP-753 (sidecars) and KEP-2837 (pod-level resources), component-helpers/resource/helpers.go.
"""

from typing import Any

from pilothouse.api.machinery.quantity import Quantity, parse_quantity
from pilothouse.api.machinery.view import JsonObject
from pilothouse.runtime.short_memo import short_memo

Amounts = dict[str, Quantity]


@short_memo(4096)
def quantity(text: str) -> Quantity:
    """Parse, remembered: clusters hold few distinct amounts. Raises ValueError for what is no quantity."""
    return parse_quantity(text)


@short_memo(4096)
def _canonical(text: str) -> str:
    try:
        return str(quantity(text))
    except ValueError:
        return text  # validation says what is wrong with it


@short_memo(4096)
def _canonical_milli(text: str) -> str:
    try:
        amount = quantity(text)
    except ValueError:
        return text
    rounded = parse_quantity(f"{amount.milli()}m")
    return str(amount if rounded == amount else rounded)


def canonical_quantity(value: Any) -> str:
    """A quantity as Kubernetes writes it: `1000m` is `1`, a number becomes text."""
    return _canonical(value if isinstance(value, str) else str(value))


def canonical_resources(amounts: JsonObject) -> None:
    """Rewrite a resource list canonically; amounts finer than a thousandth are rounded up to one."""
    for name, value in amounts.items():
        amounts[name] = _canonical_milli(value if type(value) is str else str(value))


def is_sidecar(container: JsonObject) -> bool:
    """Whether an init container keeps running beside the containers."""
    return container.get("restartPolicy") == "Always"


def amounts(requirements: JsonObject | None, kind: str) -> Amounts:
    """The `requests` or `limits` of one container; what is no quantity is left out."""
    found: Amounts = {}
    for name, text in ((requirements or {}).get(kind) or {}).items():
        try:
            found[name] = quantity(text)
        except ValueError:
            continue
    return found


def container_sum(spec: JsonObject, kind: str) -> Amounts:
    """What all containers together need at most at any moment, by `requests` or by `limits`."""
    total: Amounts = {}
    for container in spec.get("containers") or ():
        _add(total, amounts(container.get("resources"), kind))
    sidecars: Amounts = {}
    starting: Amounts = {}
    for container in spec.get("initContainers") or ():
        needs = amounts(container.get("resources"), kind)
        if is_sidecar(container):
            _add(total, needs)
            _add(sidecars, needs)
            needs = dict(sidecars)
        else:
            _add(needs, sidecars)
        _largest(starting, needs)
    _largest(total, starting)
    return total


def _add(total: Amounts, more: Amounts) -> None:
    for name, amount in more.items():
        total[name] = total[name] + amount if name in total else amount


def _largest(total: Amounts, other: Amounts) -> None:
    for name, amount in other.items():
        if name not in total or total[name] < amount:
            total[name] = amount


def is_pod_level(name: str) -> bool:
    """Whether a pod as a whole may state an amount of this resource."""
    return name in ("cpu", "memory") or name.startswith("hugepages-")


def default_pod_level_resources(spec: JsonObject) -> None:
    """Complete `spec.resources`, where a pod states some of its amounts as a whole."""
    resources = spec["resources"]
    limits, requests = dict(resources.get("limits") or {}), dict(resources.get("requests") or {})
    stated_limits = any(is_pod_level(name) for name in limits)
    if limits or requests:
        for name, amount in container_sum(spec, "limits").items():
            if name.startswith("hugepages-") and name not in requests:
                limits.setdefault(name, str(amount))
    if limits:
        for name, amount in container_sum(spec, "requests").items():
            if name in ("cpu", "memory"):
                requests.setdefault(name, str(amount))
        for name, text in limits.items():
            if is_pod_level(name):
                requests.setdefault(name, text)
    if requests and not stated_limits and not limits:
        for name, amount in container_sum(spec, "limits").items():
            if name in ("cpu", "memory") and _all_limit(spec, name):
                limits[name] = str(amount)
    if limits:
        resources["limits"] = limits
    if requests:
        resources["requests"] = requests


def _all_limit(spec: JsonObject, name: str) -> bool:
    containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    return all(name in ((container.get("resources") or {}).get("limits") or {}) for container in containers)
