"""Scopes: of which objects a quota speaks.

`spec.scopes` names scopes, `spec.scopeSelector` has more of them, with values; an object must be in all. Source:
generic/evaluator.go in apiserver/pkg/quota/v1.
"""

from collections.abc import Sequence

from pilothouse.api.machinery.view import JsonObject


def selectors_of(spec: JsonObject) -> list[JsonObject]:
    """All scopes of a quota as requirements of a selector."""
    named = [{"scopeName": scope, "operator": "Exists"} for scope in spec.get("scopes") or ()]
    return [*named, *((spec.get("scopeSelector") or {}).get("matchExpressions") or ())]


def selects(selector: JsonObject, value: str) -> bool:
    """Whether a requirement holds for a value; an empty one is none."""
    values: Sequence[str] = selector.get("values") or ()
    match selector.get("operator"):
        case "Exists":
            return bool(value)
        case "DoesNotExist":
            return not value
        case "In":
            return bool(value) and value in values
        case "NotIn":
            return not value or value not in values
        case _:
            return False
