"""Policies in CEL and their bindings: what both kinds of policy have in common.

Sources of the facts: pkg/apis/admissionregistration/v1/defaults.go,
pkg/apis/admissionregistration/validation/validation.go.
"""

import re
from collections.abc import Callable, Sequence
from functools import partial

from pilothouse.api.admissionregistration.expressions import Expressions, report
from pilothouse.api.admissionregistration.matching import (
    FAILURE_POLICIES,
    default_resources,
    validate_conditions,
    validate_resources,
)
from pilothouse.api.machinery.cel.errors import CompileError
from pilothouse.api.machinery.columns import UNSET, dig, selector_text
from pilothouse.api.machinery.field import FieldErrors, at, index
from pilothouse.api.machinery.names import dns1035_label, dns_subdomain, path_segment
from pilothouse.api.machinery.repeats import repeats
from pilothouse.api.machinery.selector_rules import validate_label_selector
from pilothouse.api.machinery.text_rules import validate_choice, validate_required_text, validate_text
from pilothouse.api.machinery.view import JsonObject
from pilothouse.runtime.clock import Instant

_IDENTIFIER = re.compile("[_a-zA-Z][_a-zA-Z0-9]*")
_RESERVED = frozenset({
    "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let",
    "loop", "package", "namespace", "return", "var", "void", "while",
})  # fmt: skip
_EXCLUSIVE = "name and selector are mutually exclusive"
_NOT_FOUND = ("Deny", "Allow")


def default_policy(obj: JsonObject) -> None:
    """What cannot be evaluated fails the request."""
    spec = obj.setdefault("spec", {})
    if spec.get("failurePolicy") is None:
        spec["failurePolicy"] = "Fail"
    default_resources(spec.get("matchConstraints"))


def default_binding(obj: JsonObject) -> None:
    """As in a policy."""
    default_resources(dig(obj, "spec", "matchResources"))


def validate_policy(spec: JsonObject, errors: FieldErrors, path: str) -> Expressions:
    """Parameters, what is matched, conditions and variables; and what compiles the expressions that follow."""
    policy = spec.get("failurePolicy")
    if policy is None:
        errors.required(at(path, "failurePolicy"))
    else:
        validate_choice(policy, FAILURE_POLICIES, errors, at(path, "failurePolicy"))
    if (kind := spec.get("paramKind")) is not None:
        _validate_param_kind(kind, errors, at(path, "paramKind"))
    match, where = spec.get("matchConstraints"), at(path, "matchConstraints")
    if match is None:
        errors.required(where)
    else:
        validate_resources(match, errors, where)
        if not match.get("resourceRules"):
            errors.required(at(where, "resourceRules"))
    params = spec.get("paramKind") is not None
    validate_conditions(spec.get("matchConditions"), errors, at(path, "matchConditions"), params=params)
    expressions = Expressions(params=params)
    for position, variable in enumerate(spec.get("variables") or ()):
        _validate_variable(variable, expressions, errors, index(at(path, "variables"), position))
    return expressions


def _validate_param_kind(kind: JsonObject, errors: FieldErrors, path: str) -> None:
    api_version, name = kind.get("apiVersion") or "", kind.get("kind") or ""
    where = at(path, "apiVersion")
    group, _, version = api_version.partition("/") if "/" in api_version else ("", "", api_version)
    if not api_version:
        errors.required(where)
    elif "/" in version:
        errors.invalid(where, api_version, f"unexpected GroupVersion string: {api_version}")
    else:
        if group and (wrongs := dns_subdomain(group)):
            errors.invalid(where, group, ",".join(wrongs))
        if not version:
            errors.invalid(where, api_version, "version must be specified")
        elif wrongs := dns1035_label(version):
            errors.invalid(where, version, ",".join(wrongs))
    if not name:
        errors.required(at(path, "kind"))
    elif wrongs := dns1035_label(name.lower()):
        words = f"may have mixed case, but should otherwise match: {','.join(wrongs)}"
        errors.invalid(at(path, "kind"), name, words)


def _validate_variable(variable: JsonObject, expressions: Expressions, errors: FieldErrors, path: str) -> None:
    name = variable.get("name") or ""
    if not name.strip():
        errors.required(at(path, "name"), "name is not specified")
    elif not _IDENTIFIER.fullmatch(name) or name in _RESERVED:
        errors.invalid(at(path, "name"), name, "name is not a valid CEL identifier")
    validate_expression(variable, "expression", partial(expressions.variable, name), errors, path)


def validate_expression(
    item: JsonObject, name: str, compile_: Callable[[str], object], errors: FieldErrors, path: str
) -> None:
    """Something is to be evaluated, and can be."""
    text = item.get(name) or ""
    if not text.strip():
        errors.required(at(path, name), f"{name} is not specified")
        return
    try:
        compile_(text)
    except CompileError as error:
        report(error, text, errors, at(path, name))


def validate_binding(spec: JsonObject, errors: FieldErrors, path: str) -> None:
    """Which policy, with which parameters, and for which part of what it matches."""
    validate_required_text(spec.get("policyName"), dns_subdomain, errors, at(path, "policyName"))
    if (reference := spec.get("paramRef")) is not None:
        _validate_param_ref(reference, errors, at(path, "paramRef"))
    if (match := spec.get("matchResources")) is not None:
        validate_resources(match, errors, at(path, "matchResouces"))  # as upstream spells it in messages


def _validate_param_ref(reference: JsonObject, errors: FieldErrors, path: str) -> None:
    name, selector = reference.get("name") or "", reference.get("selector")
    if name:
        validate_text(name, path_segment, errors, at(path, "name"))
        if selector is not None:
            errors.forbidden(at(path, "name"), _EXCLUSIVE)
    if selector is not None:
        validate_label_selector(selector, errors, at(path, "selector"))
        if name:
            errors.forbidden(at(path, "selector"), _EXCLUSIVE)
    if not name and selector is None:
        errors.required(path, "one of name or selector must be specified")
    action = reference.get("parameterNotFoundAction")
    if not action:
        errors.required(at(path, "parameterNotFoundAction"))
    else:
        validate_choice(action, _NOT_FOUND, errors, at(path, "parameterNotFoundAction"))


def validate_actions(actions: Sequence[str], errors: FieldErrors, path: str) -> None:
    """What becomes of a request that a policy refuses."""
    again = set(repeats(actions))
    for position, action in enumerate(actions):
        validate_choice(action, ("Audit", "Deny", "Warn"), errors, index(path, position))
        if position in again:
            errors.duplicate(index(path, position), action)
    if {"Deny", "Warn"} <= set(actions):
        words = (
            "must not contain both Deny and Warn (repeating the same validation failure information in the API "
            "response and headers serves no purpose)"
        )
        errors.invalid(path, list(actions), words)
    if not actions:
        errors.required(path, "at least one validation action is required")


def show_param_kind(obj: JsonObject, _now: Instant) -> str:
    """The kind of the parameters, as a cell."""
    kind = dig(obj, "spec", "paramKind")
    return f"{kind.get('apiVersion', '')}/{kind.get('kind', '')}" if kind is not None else UNSET


def show_param_ref(obj: JsonObject, _now: Instant) -> str:
    """Which parameters, as a cell."""
    ref = dig(obj, "spec", "paramRef") or {}
    if ref.get("name"):
        return f"{ref.get('namespace') or '*'}/{ref['name']}"
    return selector_text(ref["selector"]) if ref.get("selector") else UNSET
