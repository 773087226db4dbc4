"""Usage: what the objects of a namespace use of what a quota limits.

Source: CalculateUsage in apiserver/pkg/quota/v1/resources.go.
"""

from collections.abc import Iterable, Mapping
from functools import cache, lru_cache

from pilothouse.api.core.pod.resources import Amounts
from pilothouse.api.core.resource_quota.evaluator import Evaluator, read_amounts
from pilothouse.api.core.resource_quota.scopes import selectors_of
from pilothouse.api.machinery.quantity import ZERO
from pilothouse.api.machinery.view import JsonObject
from pilothouse.runtime.clock import Instant
from pilothouse.runtime.units import subclasses

_COUNT = "count/"


@cache
def special_evaluators() -> tuple[Evaluator, ...]:
    """Those of the kinds that use more than their number."""
    package = "pilothouse.api.core.resource_quota.evaluators"
    found = subclasses(Evaluator, package)
    return tuple([kind() for kind in found])  # type: ignore[call-arg]


@lru_cache(maxsize=4096)
def evaluator_of(group: str, plural: str) -> Evaluator:
    """Who says what objects of a kind use."""
    for one in special_evaluators():
        if (one.group, one.plural) == (group, plural):
            return one
    return Evaluator(group, plural)


def evaluators_for(names: Iterable[str]) -> list[Evaluator]:
    """Who counts what a quota limits; also of kinds that may not exist."""
    found: dict[tuple[str, str], Evaluator] = {}
    for name in names:
        plural, _, group = name.removeprefix(_COUNT).partition(".")
        for one in (*special_evaluators(), evaluator_of(group, plural)):
            if one.counts(name):
                found[one.group, one.plural] = one
    return list(found.values())


def in_scopes(evaluator: Evaluator, spec: JsonObject, obj: JsonObject) -> bool:
    """Whether a quota speaks of the object."""
    return all(evaluator.in_scope(selector, obj) for selector in selectors_of(spec))


def add(one: Amounts, other: Amounts) -> Amounts:
    """The sums, of whatever one of them has."""
    return {**one, **{name: one[name] + amount if name in one else amount for name, amount in other.items()}}


def usage_of(evaluator: Evaluator, spec: JsonObject, objects: Iterable[JsonObject], now: Instant) -> Amounts:
    """What objects of one kind use of what a quota limits; nothing is zero."""
    names = [name for name in spec.get("hard") or () if evaluator.counts(name)]
    used: Amounts = dict.fromkeys(names, ZERO)
    for obj in objects:
        if in_scopes(evaluator, spec, obj):
            found = evaluator.usage(obj, now)
            used = {name: amount + found[name] if name in found else amount for name, amount in used.items()}
    return used


def usage_by_number(evaluator: Evaluator, spec: JsonObject, number: int) -> Amounts:
    """The same of objects that only count, where nothing is known of them but how many there are."""
    names = [name for name in spec.get("hard") or () if evaluator.counts(name)]
    counted = number if not selectors_of(spec) else 0
    return {name: amount * counted for name, amount in evaluator.usage({}, 0).items() if name in names}


def planned_status(quota: JsonObject, counted: Mapping[str, Amounts]) -> JsonObject | None:
    """The status that a quota should have, by what was counted just now; None where it has it.

    What nobody could count stays as it was.
    """
    hard = (quota.get("spec") or {}).get("hard") or {}
    status = quota.get("status") or {}
    before = read_amounts(status.get("used"))
    used = dict(before)
    fresh: Amounts = {}
    for amounts in counted.values():
        fresh = add(fresh, amounts)
    used.update(fresh)
    used = {name: amount for name, amount in used.items() if name in hard}
    if ("used" in status or not used) and used == before and read_amounts(status.get("hard")) == read_amounts(hard):
        return None
    return {**status, "hard": dict(hard), "used": {name: str(amount) for name, amount in sorted(used.items())}}
