"""Which requests webhooks and policies are asked about: rules, selectors, conditions.

Sources of the facts: pkg/apis/admissionregistration/v1/defaults.go,
pkg/apis/admissionregistration/validation/validation.go.
"""

from collections.abc import Sequence

from pilothouse.api.admissionregistration.expressions import Expressions, report
from pilothouse.api.machinery.cel.errors import CompileError
from pilothouse.api.machinery.field import FieldErrors, at, index
from pilothouse.api.machinery.names import path_segment, qualified_name
from pilothouse.api.machinery.repeats import repeats
from pilothouse.api.machinery.selector_rules import validate_label_selector
from pilothouse.api.machinery.text_rules import validate_choice, validate_text
from pilothouse.api.machinery.view import JsonObject

FAILURE_POLICIES = ("Fail", "Ignore")
MATCH_POLICIES = ("Equivalent", "Exact")
_SCOPES = ("*", "Cluster", "Namespaced")
OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
_MOST_CONDITIONS = 64
ANY = "*"


def default_rules(rules: Sequence[JsonObject] | None) -> None:
    """Of objects of the cluster and of namespaces."""
    for rule in rules or ():
        if rule.get("scope") is None:
            rule["scope"] = ANY


def default_selection(item: JsonObject) -> None:
    """Equivalent requests, everywhere, about anything."""
    if item.get("matchPolicy") is None:
        item["matchPolicy"] = "Equivalent"
    for name in ("namespaceSelector", "objectSelector"):
        if item.get(name) is None:
            item[name] = {}


def default_resources(match: JsonObject | None) -> None:
    """The same of what a policy or binding matches."""
    if match is not None:
        default_selection(match)
        for name in ("resourceRules", "excludeResourceRules"):
            default_rules(match.get(name))


def validate_rule(rule: JsonObject, errors: FieldErrors, path: str) -> None:
    """Operations on resources of groups and versions."""
    operations, where = rule.get("operations") or [], at(path, "operations")
    if not operations:
        errors.required(where)
    _alone(operations, "operations", errors, where)
    for position, operation in enumerate(operations):
        validate_choice(operation, OPERATIONS, errors, index(where, position))
    for name, what in (("apiGroups", "API groups"), ("apiVersions", "API versions")):
        if not rule.get(name):
            errors.required(at(path, name))
        _alone(rule.get(name) or [], what, errors, at(path, name))
    for position, version in enumerate(rule.get("apiVersions") or ()):
        if not version:
            errors.required(index(at(path, "apiVersions"), position))
    _validate_resources(rule.get("resources") or [], errors, at(path, "resources"))
    if (scope := rule.get("scope")) is not None:
        validate_choice(scope, _SCOPES, errors, at(path, "scope"))


def _alone(values: Sequence[str], what: str, errors: FieldErrors, path: str) -> None:
    if len(values) > 1 and ANY in values:
        errors.invalid(path, list(values), f"if '*' is present, must not specify other {what}")


def _validate_resources(resources: Sequence[str], errors: FieldErrors, path: str) -> None:
    """No resource is named that a wildcard beside it has named already."""
    if not resources:
        errors.required(path)
    whole, everywhere = set[str](), set[str]()
    for position, text in enumerate(resources):
        where = index(path, position)
        if not text:
            errors.required(where)
            continue
        resource, slash, part = text.partition("/")
        if not slash:
            continue
        if resource in whole:
            errors.invalid(where, text, f"if '{resource}/*' is present, must not specify {text}")
        if part in everywhere:
            errors.invalid(where, text, f"if '*/{part}' is present, must not specify {text}")
        if part == ANY:
            whole.add(resource)
        if resource == ANY:
            everywhere.add(part)
    if len(resources) > 1 and "*/*" in resources:
        errors.invalid(path, list(resources), "if '*/*' is present, must not specify other resources")
    plain = [text for text in resources if text and "/" not in text]
    if ANY in plain and plain[-1] != ANY:  # upstream looks at the last one
        words = "if '*' is present, must not specify other resources without subresources"
        errors.invalid(path, list(resources), words)


def validate_resources(match: JsonObject, errors: FieldErrors, path: str) -> None:
    """What a policy or binding matches."""
    policy = match.get("matchPolicy")
    if policy is None:
        errors.required(at(path, "matchPolicy"))
    else:
        validate_choice(policy, MATCH_POLICIES, errors, at(path, "matchPolicy"))
    for name in ("namespaceSelector", "objectSelector"):
        if match.get(name) is None:
            errors.required(at(path, name))
        else:
            validate_label_selector(match[name], errors, at(path, name))
    for name in ("resourceRules", "excludeResourceRules"):
        for position, rule in enumerate(match.get(name) or ()):
            _validate_named_rule(rule, errors, index(at(path, name), position))


def _validate_named_rule(rule: JsonObject, errors: FieldErrors, path: str) -> None:
    names = rule.get("resourceNames") or []
    again = set(repeats(names))
    for position, name in enumerate(names):
        where = index(at(path, "resourceNames"), position)
        validate_text(name, path_segment, errors, where)
        if position in again:
            errors.duplicate(where, name)
    validate_rule(rule, errors, path)


def validate_conditions(
    conditions: Sequence[JsonObject] | None, errors: FieldErrors, path: str, *, params: bool = False
) -> None:
    """Expressions that must all hold, each with a name of its own."""
    found = conditions or ()
    if len(found) > _MOST_CONDITIONS:
        errors.too_many(path, len(found), _MOST_CONDITIONS)
    seen = set()
    for position, condition in enumerate(found):
        where, name = index(path, position), condition.get("name") or ""
        _validate_condition((condition.get("expression") or "").strip(), errors, at(where, "expression"), params=params)
        if not name:
            errors.required(at(where, "name"))
            continue
        validate_text(name, qualified_name, errors, at(where, "name"))
        if name in seen:
            errors.duplicate(at(where, "name"), name)
        seen.add(name)


def _validate_condition(text: str, errors: FieldErrors, path: str, *, params: bool) -> None:
    if not text:
        errors.required(path)
        return
    try:
        Expressions(params=params).condition(text)
    except CompileError as error:
        report(error, text, errors, path)
