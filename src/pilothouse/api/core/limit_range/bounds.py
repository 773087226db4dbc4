"""What a LimitRange allows: least and most of an amount, and how far a limit may be above its request.

On an update what was stored before is not looked at again. Source: PodValidateLimitFunc and
PersistentVolumeClaimValidateLimitFunc in plugin/pkg/admission/limitranger/admission.go.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from pilothouse.api.core.pod.needs import stated_amounts
from pilothouse.api.core.pod.resources import Amounts, amounts
from pilothouse.api.core.resource_quota.evaluator import read_amounts
from pilothouse.api.machinery.quantity import Quantity, of_units
from pilothouse.api.machinery.view import JsonObject

_CLAIM = "PersistentVolumeClaim"
_ONE = of_units(1)


class Stated(NamedTuple):
    """What a container or a pod states."""

    requests: Amounts
    limits: Amounts


NOTHING = Stated({}, {})
_Rule = Callable[[str, str, Quantity, Stated], str]


def refusals_of_pod(limit_range: JsonObject, pod: JsonObject, old: JsonObject | None) -> list[str]:
    """Why a LimitRange does not allow a pod."""
    spec, before = pod.get("spec") or {}, (old or {}).get("spec") or {}
    found: list[str] = []
    for item in _items(limit_range):
        if item.get("type") == "Container":
            for field in ("containers", "initContainers"):
                stored = {one.get("name"): _of_container(one) for one in before.get(field) or ()}
                for container in spec.get(field) or ():
                    found += _refusals(item, _of_container(container), stored.get(container.get("name")))
        elif item.get("type") == "Pod":
            found += _refusals(item, _of_pod(spec), None if old is None else _of_pod(before))
    return found


def refusals_of_claim(limit_range: JsonObject, claim: JsonObject, old: JsonObject | None) -> list[str]:
    """Why a LimitRange does not allow a PersistentVolumeClaim."""
    stated = _of_claim(claim)
    before = None if old is None else _of_claim(old)
    found: list[str] = []
    for item in _items(limit_range):
        if item.get("type") != _CLAIM:
            continue
        for field, rule in (("min", _least), ("max", _most_requested)):
            for name, bound in sorted(read_amounts(item.get(field)).items()):
                if before is None or name not in stated.requests or before.requests.get(name) != stated.requests[name]:
                    found.append(rule(_CLAIM, name, bound, stated))
    return [why for why in found if why]


def _items(limit_range: JsonObject) -> Iterator[JsonObject]:
    yield from (limit_range.get("spec") or {}).get("limits") or ()


def _of_container(container: JsonObject) -> Stated:
    resources = container.get("resources")
    return Stated(amounts(resources, "requests"), amounts(resources, "limits"))


def _of_pod(spec: JsonObject) -> Stated:
    return Stated(stated_amounts(spec, "requests"), stated_amounts(spec, "limits"))


def _of_claim(claim: JsonObject) -> Stated:
    return Stated(amounts((claim.get("spec") or {}).get("resources"), "requests"), {})


def _refusals(item: JsonObject, stated: Stated, before: Stated | None) -> list[str]:
    rules: tuple[tuple[str, _Rule], ...] = (("min", _least), ("max", _most), ("maxLimitRequestRatio", _ratio))
    found = [
        rule(item["type"], name, bound, stated)
        for field, rule in rules
        for name, bound in sorted(read_amounts(item.get(field)).items())
        if before is None or not _same(name, stated, before)
    ]
    return [why for why in found if why]


def _same(name: str, stated: Stated, before: Stated) -> bool:
    return all(now.get(name) == then.get(name) for now, then in zip(stated, before, strict=True))


def _least(kind: str, name: str, bound: Quantity, stated: Stated) -> str:
    request, limit = stated.requests.get(name), stated.limits.get(name)
    begin = f"minimum {name} usage per {kind} is {bound}"
    if request is None:
        return f"{begin}.  No request is specified"
    if request < bound:
        return f"{begin}, but request is {request}"
    return f"{begin}, but limit is {limit}" if limit is not None and limit < bound else ""


def _most(kind: str, name: str, bound: Quantity, stated: Stated) -> str:
    request, limit = stated.requests.get(name), stated.limits.get(name)
    begin = f"maximum {name} usage per {kind} is {bound}"
    if limit is None:
        return f"{begin}.  No limit is specified"
    if limit > bound:
        return f"{begin}, but limit is {limit}"
    return f"{begin}, but request is {request}" if request is not None and request > bound else ""


def _most_requested(kind: str, name: str, bound: Quantity, stated: Stated) -> str:
    request = stated.requests.get(name)
    begin = f"maximum {name} usage per {kind} is {bound}"
    if request is None:
        return f"{begin}.  No request is specified"
    return f"{begin}, but request is {request}" if request > bound else ""


def _ratio(kind: str, name: str, bound: Quantity, stated: Stated) -> str:
    request, limit = stated.requests.get(name), stated.limits.get(name)
    begin = f"{name} max limit to request ratio per {kind} is {bound}"
    if not request:
        return f"{begin}, but no request is specified or request is 0"
    if not limit:
        return f"{begin}, but no limit is specified or limit is 0"
    if limit.nano * _ONE.nano > request.nano * bound.nano:
        return f"{begin}, but provided ratio is {limit.nano / request.nano:.6f}"
    return ""
