"""MutatingAdmissionPolicy: changes in CEL made to objects at admission.

Source of the facts: API page admissionregistration.k8s.io/v1 MutatingAdmissionPolicy; KEP-3962. *assumed*: the words
about operations and mutations.
"""

from pilothouse.api.admissionregistration.expressions import Expressions
from pilothouse.api.admissionregistration.policies import (
    default_policy,
    show_param_kind,
    validate_expression,
    validate_policy,
)
from pilothouse.api.machinery.columns import AGE, count, dig
from pilothouse.api.machinery.field import FieldErrors, at, index
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.machinery.text_rules import validate_choice
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.admissionregistration_v1 import MutatingAdmissionPolicy

_OPERATIONS = ("*", "CONNECT", "CREATE", "UPDATE")
_REINVOCATION = ("IfNeeded", "Never")
_PATCHES = {"ApplyConfiguration": "applyConfiguration", "JSONPatch": "jsonPatch"}
_MUTATIONS, _AGAIN = "spec.mutations", "spec.reinvocationPolicy"


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """Something is changed, when something is made or changed."""
    spec = obj.get("spec") or {}
    expressions = validate_policy(spec, errors, "spec")
    for position, rule in enumerate(dig(spec, "matchConstraints", "resourceRules") or ()):
        path = at(index("spec.matchConstraints.resourceRules", position), "operations")
        for number, operation in enumerate(rule.get("operations") or ()):
            if operation == "DELETE":
                errors.not_supported(index(path, number), operation, _OPERATIONS)
    mutations = spec.get("mutations") or []
    if not mutations:
        errors.required(_MUTATIONS, "mutations must contain at least one item")
    for position, mutation in enumerate(mutations):
        _validate_mutation(mutation, expressions, errors, index(_MUTATIONS, position))
    if not spec.get("reinvocationPolicy"):
        errors.required(_AGAIN)
    else:
        validate_choice(spec["reinvocationPolicy"], _REINVOCATION, errors, _AGAIN)


def _validate_mutation(mutation: JsonObject, expressions: Expressions, errors: FieldErrors, path: str) -> None:
    kind = mutation.get("patchType") or ""
    if not kind:
        errors.required(at(path, "patchType"))
    elif kind not in _PATCHES:
        errors.not_supported(at(path, "patchType"), kind, _PATCHES)
    for other, name in _PATCHES.items():
        found, where = mutation.get(name), at(path, name)
        if kind == other and found is None:
            errors.required(where, f"must be specified when patchType is {kind}")
        elif kind == other and found is not None:
            compile_ = expressions.json_patch if kind == "JSONPatch" else expressions.apply
            validate_expression(found, "expression", compile_, errors, where)
        elif kind in _PATCHES and found is not None:
            errors.forbidden(where, f"may not be specified when patchType is {kind}")


RESOURCE = Resource(
    kind=MutatingAdmissionPolicy,
    group="admissionregistration.k8s.io",
    version="v1",
    plural="mutatingadmissionpolicies",
    singular="mutatingadmissionpolicy",
    namespaced=False,
    categories=("api-extensions",),
    unconditional_update=False,
    default=default_policy,
    validate=validate,
    columns=(
        Column("Mutations", count("spec", "mutations"), type="integer"),
        Column("ParamKind", show_param_kind),
        AGE,
    ),
)
