"""Rules for the policies of a Job: which failures of pods count, when it has succeeded, when pods are replaced.

Source of the facts: pkg/apis/batch/validation/validation.go.
"""

from itertools import pairwise
from typing import Any

from pilothouse.api.batch.job.indexes import count_indexes
from pilothouse.api.machinery.field import OMITTED, FieldErrors, index, quote
from pilothouse.api.machinery.names import qualified_name
from pilothouse.api.machinery.number_rules import validate_count
from pilothouse.api.machinery.view import JsonObject

_ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
_OPERATORS = ("In", "NotIn")
_STATUSES = ("False", "True", "Unknown")
_REPLACEMENTS = ("Failed", "TerminatingOrFailed")
_MAX_RULES, _MAX_EXIT_CODES, _MAX_PATTERNS = 20, 255, 20
_MAX_INDEXES_TEXT = 64 * 1024


def validate_replacement(spec: JsonObject, errors: FieldErrors, path: str) -> None:
    """When the pods of a Job are replaced; rules about failures need to see how each pod ends."""
    policy = spec.get("podReplacementPolicy")
    allowed = _REPLACEMENTS if spec.get("podFailurePolicy") is None else ("Failed",)
    if policy is not None and policy not in allowed:
        errors.not_supported(path, policy, allowed)


def validate_failure_policy(spec: JsonObject, errors: FieldErrors, path: str) -> None:
    """Rules about failed pods, of which the first that fits is followed."""
    rules = spec["podFailurePolicy"].get("rules") or []
    if len(rules) > _MAX_RULES:
        errors.too_many(path, len(rules), _MAX_RULES)
    pod = (spec.get("template") or {}).get("spec") or {}
    containers = [*(pod.get("containers") or ()), *(pod.get("initContainers") or ())]
    names = {container.get("name") for container in containers}
    for position, rule in enumerate(rules):
        _validate_failure_rule(rule, spec, names, errors, index(path, position))


def _validate_failure_rule(rule: JsonObject, spec: JsonObject, names: set[Any], errors: FieldErrors, path: str) -> None:
    action = _validate_word(rule.get("action"), _ACTIONS, errors, f"{path}.action")
    if action == "FailIndex" and spec.get("backoffLimitPerIndex") is None:
        errors.invalid(f"{path}.action", action, "requires the backoffLimitPerIndex to be set")
    codes, patterns = rule.get("onExitCodes"), rule.get("onPodConditions") or []
    if codes is not None:
        _validate_exit_codes(codes, names, errors, f"{path}.onExitCodes")
    if patterns:
        _validate_patterns(patterns, errors, f"{path}.onPodConditions")
    if codes is not None and patterns:
        errors.invalid(path, OMITTED, "specifying both OnExitCodes and OnPodConditions is not supported")
    elif codes is None and not patterns:
        errors.invalid(path, OMITTED, "specifying one of OnExitCodes and OnPodConditions is required")


def _validate_word(word: Any, allowed: tuple[str, ...], errors: FieldErrors, path: str) -> Any:
    if not word:
        errors.required(path, f"valid values: [{' '.join(map(quote, allowed))}]")
    elif word not in allowed:
        errors.not_supported(path, word, allowed)
    return word


def _validate_exit_codes(codes: JsonObject, names: set[Any], errors: FieldErrors, path: str) -> None:
    operator = _validate_word(codes.get("operator"), _OPERATORS, errors, f"{path}.operator")
    container = codes.get("containerName")
    if container is not None and container not in names:
        words = "must be one of the container or initContainer names in the pod template"
        errors.invalid(f"{path}.containerName", container, words)
    values, where = codes.get("values"), f"{path}.values"
    if not values:
        errors.invalid(where, values, "at least one value is required")
        return
    if len(values) > _MAX_EXIT_CODES:
        errors.too_many(where, len(values), _MAX_EXIT_CODES)
    seen: set[int] = set()
    for position, value in enumerate(values):
        if operator == "In" and value == 0:
            errors.invalid(index(where, position), value, "must not be 0 for the In operator")
        if value in seen:
            errors.duplicate(index(where, position), value)
        seen.add(value)
    if any(after < before for before, after in pairwise(values)):
        errors.invalid(where, values, "must be ordered")


def _validate_patterns(patterns: list[JsonObject], errors: FieldErrors, path: str) -> None:
    if len(patterns) > _MAX_PATTERNS:
        errors.too_many(path, len(patterns), _MAX_PATTERNS)
    for position, pattern in enumerate(patterns):
        where, kind = index(path, position), pattern.get("type") or ""
        for wrong in qualified_name(kind):
            errors.invalid(f"{where}.type", kind, wrong)
        _validate_word(pattern.get("status"), _STATUSES, errors, f"{where}.status")


def validate_success_policy(spec: JsonObject, errors: FieldErrors, path: str) -> None:
    """Which indexes must have succeeded, or how many. Of an Indexed Job, whose completions are known."""
    rules = spec["successPolicy"].get("rules") or []
    if not rules:
        errors.required(path, "at least one rules must be specified when the successPolicy is specified")
    if len(rules) > _MAX_RULES:
        errors.too_many(path, len(rules), _MAX_RULES)
    for position, rule in enumerate(rules):
        _validate_success_rule(rule, spec.get("completions") or 0, errors, index(path, position))


def _validate_success_rule(rule: JsonObject, completions: int, errors: FieldErrors, path: str) -> None:
    count, indexes = rule.get("succeededCount"), rule.get("succeededIndexes")
    if count is None and indexes is None:
        errors.required(path, "at least one of succeededCount or succeededIndexes must be specified")
    named = 0
    if indexes is not None:
        if len(indexes) > _MAX_INDEXES_TEXT:
            errors.too_long(f"{path}.succeededIndexes", _MAX_INDEXES_TEXT)
        try:
            named = count_indexes(indexes, completions)
        except ValueError as problem:
            errors.invalid(f"{path}.succeededIndexes", indexes, f"error parsing succeededIndexes: {problem}")
    if count is None:
        return
    where, most = f"{path}.succeededCount", "must be less than or equal to"
    validate_count(count, errors, where)
    if count > completions:
        errors.invalid(where, count, f"{most} {completions} (the number of specified completions)")
    if indexes is not None and count > named:
        words = f"{most} {named} (the number of indexes in the specified succeededIndexes field)"
        errors.invalid(where, count, words)


def success_policy_as_go_shows(policy: JsonObject) -> JsonObject:
    """The policy as messages show upstream's internal type."""
    rules = [
        {"SucceededIndexes": rule.get("succeededIndexes"), "SucceededCount": rule.get("succeededCount")}
        for rule in policy.get("rules") or ()
    ]
    return {"Rules": rules or None}
