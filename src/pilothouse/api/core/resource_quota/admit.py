"""Whether a write fits into the quotas of its namespace, and what is used when it has been made.

A write must fit into each quota that speaks of its object. Of an update only what it uses more counts. What the
server's configuration limits by default must be covered by some quota. Source: CheckRequest in
apiserver/pkg/admission/plugin/resourcequota/controller.go.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pilothouse.api.core.pod.resources import Amounts
from pilothouse.api.core.resource_quota.evaluator import Change, Evaluator, read_amounts
from pilothouse.api.core.resource_quota.scopes import selectors_of
from pilothouse.api.core.resource_quota.usage import add, in_scopes
from pilothouse.api.machinery.quantity import ZERO
from pilothouse.api.machinery.view import JsonObject
from pilothouse.runtime.clock import Instant


class QuotaError(Exception):
    """Why a write does not fit."""


@dataclass(frozen=True, slots=True)
class Quota:
    """A quota as its status is."""

    name: str
    spec: JsonObject
    hard: Amounts
    used: Amounts

    @classmethod
    def of(cls, obj: JsonObject) -> "Quota":
        """Read a ResourceQuota."""
        status = obj.get("status") or {}
        hard, used = read_amounts(status.get("hard")), read_amounts(status.get("used"))
        return cls(obj["metadata"]["name"], obj.get("spec") or {}, hard, used)


@dataclass(frozen=True, slots=True)
class Limited:
    """What may be used only where a quota covers it: resources whose names contain one of these, objects of a kind that
    are in one of these scopes."""

    group: str
    plural: str
    names_contain: tuple[str, ...] = ()
    scopes: tuple[JsonObject, ...] = ()


def admit(
    quotas: Sequence[Quota], evaluator: Evaluator, change: Change, now: Instant, limited: Iterable[Limited] = ()
) -> list[Quota]:
    """The quotas as they are once the write is made. Raises QuotaError."""
    own = [one for one in limited if (one.group, one.plural) == (evaluator.group, evaluator.plural)]
    matching = [quota for quota in quotas if _matches(evaluator, quota, change.new)]
    for quota in matching:
        _check_stated(evaluator, quota, change.new)
    used = evaluator.usage(change.new, now)
    if negative := sorted(name for name, amount in used.items() if amount < ZERO):
        raise QuotaError(f"quota usage is negative for resource(s): {','.join(negative)}")
    more = _growth(evaluator, change, used, now)
    grown = {quota.name: _grown(evaluator, quota, change, used, more) for quota in matching}
    if not any(grown.values()) if matching else not more:
        return list(quotas)
    _check_covered(own, evaluator, quotas, matching, change.new, used)
    return [
        _charged(quota, grown[quota.name], enforced=change.part != "status") if grown.get(quota.name) else quota
        for quota in quotas
    ]


def _matches(evaluator: Evaluator, quota: Quota, obj: JsonObject) -> bool:
    return any(evaluator.counts(name) for name in quota.hard) and in_scopes(evaluator, quota.spec, obj)


def _check_stated(evaluator: Evaluator, quota: Quota, obj: JsonObject) -> None:
    """The object says what is counted, and the quota says what is used."""
    names = [name for name in quota.hard if evaluator.counts(name)]
    if missing := evaluator.missing(names, obj):
        raise QuotaError(f"failed quota: {quota.name}: {missing}")
    if any(name not in quota.used for name in names):
        raise QuotaError(f"status unknown for quota: {quota.name}, resources: {','.join(sorted(names))}")


def _growth(evaluator: Evaluator, change: Change, used: Amounts, now: Instant) -> Amounts:
    """What is used that was not before."""
    before: Amounts = {}
    if change.operation == "UPDATE" and change.old is not None:
        before = evaluator.usage(change.old, now)
    left = {name: amount - before[name] if name in before else amount for name, amount in used.items()}
    return {name: amount for name, amount in left.items() if amount > ZERO}


def _grown(evaluator: Evaluator, quota: Quota, change: Change, used: Amounts, more: Amounts) -> Amounts:
    """The same for one quota: to one that did not speak of the object before, all is new."""
    if change.operation == "UPDATE" and change.old is not None and not _matches(evaluator, quota, change.old):
        return {name: amount for name, amount in used.items() if amount}
    return more


def _check_covered(
    limited: Sequence[Limited], evaluator: Evaluator, quotas: Sequence[Quota], matching: Sequence[Quota],
    obj: JsonObject, used: Amounts,
) -> None:  # fmt: skip
    consumed = [name for name, amount in used.items() if amount > ZERO]
    wanted = {name for one in limited for name in consumed if any(part in name for part in one.names_contain)}
    bare = sorted(name for name in wanted if not any(name in quota.hard for quota in matching))
    if bare:
        raise QuotaError(f"insufficient quota to consume: {','.join(bare)}")
    needed = [scope for one in limited for scope in one.scopes if evaluator.in_scope(scope, obj)]
    selected = [scope for quota in quotas for scope in selectors_of(quota.spec) if evaluator.in_scope(scope, obj)]
    covered = {scope.get("scopeName") for scope in selected}
    open_scopes = [scope for scope in needed if scope.get("scopeName") not in covered]
    if open_scopes:
        raise QuotaError(f"insufficient quota to match these scopes: [{' '.join(map(_go_text, open_scopes))}]")


def _charged(quota: Quota, more: Amounts, *, enforced: bool) -> Quota:
    """The quota with so much more used."""
    asked = {name: amount for name, amount in more.items() if name in quota.hard}
    after = add(quota.used, asked)
    exceeded = sorted(name for name in asked if after[name] > quota.hard[name])
    if enforced and exceeded:
        requested, used, limit = (_text(found, exceeded) for found in (asked, quota.used, quota.hard))
        raise QuotaError(f"exceeded quota: {quota.name}, requested: {requested}, used: {used}, limited: {limit}")
    return replace(quota, used=after)


def _text(amounts: Amounts, names: Iterable[str]) -> str:
    return ",".join(f"{name}={amounts[name]}" for name in names if name in amounts)


def _go_text(scope: JsonObject) -> str:
    """A requirement as Go prints it."""
    return f"{{{scope.get('scopeName')} {scope.get('operator')} [{' '.join(scope.get('values') or ())}]}}"
