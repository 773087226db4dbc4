"""ValidatingAdmissionPolicy: rules in CEL that may refuse objects at admission.

Source of the facts: pkg/apis/admissionregistration/validation/validation.go. API page: admissionregistration.k8s.io/v1
ValidatingAdmissionPolicy; KEP-3488. *assumed*: a reference to a field is not parsed.
"""

from pilothouse.api.admissionregistration.expressions import Expressions
from pilothouse.api.admissionregistration.policies import (
    default_policy,
    show_param_kind,
    validate_expression,
    validate_policy,
)
from pilothouse.api.machinery.columns import AGE, count, dig
from pilothouse.api.machinery.condition_rules import validate_conditions
from pilothouse.api.machinery.field import FieldErrors, at, index
from pilothouse.api.machinery.names import qualified_name
from pilothouse.api.machinery.resource import STATUS, Column, Resource
from pilothouse.api.machinery.strategy import fresh_status, keep_status
from pilothouse.api.machinery.text_rules import validate_choice, validate_text
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.admissionregistration_v1 import ValidatingAdmissionPolicy

_REASONS = ("Forbidden", "Invalid", "RequestEntityTooLarge")
_MOST_ANNOTATIONS = 20
_LONGEST_ANNOTATION = 5 * 1024
_NOTHING = "validations or auditAnnotations must contain at least one item"
_VALIDATIONS, _ANNOTATIONS = "spec.validations", "spec.auditAnnotations"


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """Something is refused, or noted."""
    spec, name = obj.get("spec") or {}, dig(obj, "metadata", "name") or ""
    expressions = validate_policy(spec, errors, "spec")
    validations, annotations = spec.get("validations") or [], spec.get("auditAnnotations") or []
    if not validations and not annotations:
        errors.required(_VALIDATIONS, _NOTHING)
        errors.required(_ANNOTATIONS, _NOTHING)
        return
    for position, item in enumerate(validations):
        _validate_validation(item, expressions, errors, index(_VALIDATIONS, position))
    if len(annotations) > _MOST_ANNOTATIONS:
        words = f"must not have more than {_MOST_ANNOTATIONS} auditAnnotations"
        errors.invalid(_ANNOTATIONS, annotations, words)
    seen = set()
    for position, item in enumerate(annotations):
        where, key = index(_ANNOTATIONS, position), item.get("key") or ""
        _validate_annotation(item, name, expressions, errors, where)
        if key in seen:
            errors.duplicate(at(where, "key"), key)
        seen.add(key)


def _validate_validation(item: JsonObject, expressions: Expressions, errors: FieldErrors, path: str) -> None:
    message, expression = item.get("message") or "", item.get("messageExpression") or ""
    validate_expression(item, "expression", expressions.validation, errors, path)
    if expression and not expression.strip():
        errors.invalid(at(path, "messageExpression"), expression, "must be non-empty if specified")
    elif expression:
        validate_expression(item, "messageExpression", expressions.message, errors, path)
    if message and not message.strip():
        errors.invalid(at(path, "message"), message, "message must be non-empty if specified")
    elif any(sign in message.strip() for sign in "\r\n"):
        errors.invalid(at(path, "message"), message, "message must not contain line breaks")
    if (reason := item.get("reason")) is not None:
        validate_choice(reason, _REASONS, errors, at(path, "reason"))


def _validate_annotation(item: JsonObject, name: str, expressions: Expressions, errors: FieldErrors, path: str) -> None:
    if name:
        validate_text(f"{name}/{item.get('key') or ''}", qualified_name, errors, at(path, "key"))
    else:
        errors.invalid(at(path, "key"), item.get("key") or "", "requires metadata.name be non-empty")
    if len((item.get("valueExpression") or "").strip().encode()) > _LONGEST_ANNOTATION:
        words = f"must not exceed {_LONGEST_ANNOTATION} bytes in length"
        errors.required(at(path, "valueExpression"), words)
    else:
        validate_expression(item, "valueExpression", lambda text: expressions.annotation(text.strip()), errors, path)


def validate_status(obj: JsonObject, _old: JsonObject, errors: FieldErrors) -> None:
    """What was found wrong with the types of expressions."""
    path = "status.typeChecking.expressionWarnings"
    for position, warning in enumerate(dig(obj, "status", "typeChecking", "expressionWarnings") or ()):
        where = index(path, position)
        if not warning.get("warning"):
            errors.required(at(where, "warning"))
        if not (warning.get("fieldRef") or "").strip():
            errors.required(at(where, "fieldRef"))
    validate_conditions(dig(obj, "status", "conditions") or (), errors, "status.conditions")


RESOURCE = Resource(
    kind=ValidatingAdmissionPolicy,
    group="admissionregistration.k8s.io",
    version="v1",
    plural="validatingadmissionpolicies",
    singular="validatingadmissionpolicy",
    namespaced=False,
    categories=("api-extensions",),
    subresources=(STATUS,),
    unconditional_update=False,
    default=default_policy,
    prepare_for_create=fresh_status(),
    prepare_for_update=keep_status,
    validate=validate,
    validate_status=validate_status,
    columns=(
        Column("Validations", count("spec", "validations"), type="integer"),
        Column("ParamKind", show_param_kind),
        AGE,
    ),
)
