"""A mutating policy at work: its mutations, compiled, and what each makes of an object.

Source: apiserver/pkg/admission/plugin/policy/mutating/compilation.go.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pilothouse.api.admissionregistration.expressions import Expressions
from pilothouse.api.machinery.cel.budget import Budget
from pilothouse.api.machinery.cel.errors import EvaluationError
from pilothouse.api.machinery.schema import Schema
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.admission.dynamic.conditions import Conditions
from pilothouse.apiserver.admission.dynamic.evaluation import (
    Expression,
    Values,
    Variables,
    compile_variables,
    with_variables,
)
from pilothouse.apiserver.admission.dynamic.patches import MutationError, applied, patched
from pilothouse.apiserver.admission.dynamic.request import GroupVersionKind


@dataclass(frozen=True, slots=True)
class Mutation:
    """One change: an expression, and whether it makes a JSON patch or an apply configuration."""

    expression: Expression
    is_json_patch: bool
    variables: Variables

    def carry_out(self, values: Values, obj: JsonObject, schema: Schema, kind: GroupVersionKind) -> JsonObject:
        """The object after it. Raises MutationError, InternalError."""
        if self.expression.program is None:
            raise MutationError(self.expression.wrong)
        budget = Budget()
        try:
            value = self.expression.evaluate(with_variables(values, self.variables, budget), budget)
        except EvaluationError as error:
            raise MutationError(str(error)) from None
        return patched(schema, obj, value) if self.is_json_patch else applied(schema, obj, value, kind)


class MutatingPolicy:
    """The compiled expressions of a MutatingAdmissionPolicy."""

    def __init__(self, policy: JsonObject) -> None:
        spec = policy.get("spec") or {}
        params = spec.get("paramKind") is not None
        self.conditions = Conditions(
            spec.get("matchConditions") or (), params=params, ignores_failure=spec.get("failurePolicy") == "Ignore"
        )
        self.reinvoked = spec.get("reinvocationPolicy") == "IfNeeded"
        """Whether it wants a second look if something changes after it."""
        expressions = Expressions(params=params)
        variables = compile_variables(spec, expressions)
        self.mutations: Sequence[Mutation] = [
            _mutation(one, expressions, variables) for one in spec.get("mutations") or ()
        ]


def _mutation(raw: JsonObject, expressions: Expressions, variables: Variables) -> Mutation:
    if raw.get("patchType") == "JSONPatch":
        text = (raw.get("jsonPatch") or {}).get("expression") or ""
        return Mutation(Expression.of(text, expressions.json_patch), True, variables)
    text = (raw.get("applyConfiguration") or {}).get("expression") or ""
    return Mutation(Expression.of(text, expressions.apply), False, variables)
