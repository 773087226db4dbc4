"""A validating policy at work: what it decides on a request, without doing anything about it yet.

Every validation is a decision of its own. The message of one that does not hold is made by an expression, given, or the
expression itself. Source: apiserver/pkg/admission/plugin/policy/validating/validator.go.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pilothouse.api.admissionregistration.expressions import Expressions
from pilothouse.api.machinery.cel.budget import Budget
from pilothouse.api.machinery.cel.errors import BudgetExceeded, EvaluationError
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.admission.dynamic.conditions import ConditionError, Conditions
from pilothouse.apiserver.admission.dynamic.evaluation import (
    Expression,
    Values,
    compile_variables,
    with_variables,
    without_authorizer,
)

_LONGEST_MESSAGE = 5 * 1024
"""Bytes of a message that an expression makes; a longer one is not used."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What one validation came to."""

    denied: bool
    message: str = ""
    reason: str = "Invalid"
    failed: bool = False
    """Whether it could not be evaluated; the failure policy has decided."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """What one audit annotation came to; empty where there is nothing to note, or what went wrong."""

    key: str
    value: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a policy says of a request."""

    decisions: Sequence[Decision] = ()
    annotations: Sequence[Annotation] = ()


@dataclass(frozen=True, slots=True)
class _Validation:
    expression: Expression
    message: str
    message_expression: Expression | None
    reason: str


class ValidatingPolicy:
    """The compiled expressions of a ValidatingAdmissionPolicy."""

    def __init__(self, policy: JsonObject) -> None:
        spec = policy.get("spec") or {}
        params = spec.get("paramKind") is not None
        self._ignores_failure = spec.get("failurePolicy") == "Ignore"
        self._conditions = Conditions(
            spec.get("matchConditions") or (), params=params, ignores_failure=self._ignores_failure
        )
        expressions = Expressions(params=params)
        self._variables = compile_variables(spec, expressions)
        self._validations = [_validation(one, expressions) for one in spec.get("validations") or ()]
        self._annotations = [
            (one["key"], Expression.of(one["valueExpression"].strip(), expressions.annotation))
            for one in spec.get("auditAnnotations") or ()
        ]

    def judge(self, values: Values) -> Judgement:
        """Evaluate."""
        try:
            if not self._conditions.hold(values):
                return Judgement()
            decisions = self._decide(values)
            return Judgement(decisions, self._annotate(values))
        except (ConditionError, BudgetExceeded) as error:
            return Judgement([self._failure(str(error))])

    def _decide(self, values: Values) -> Sequence[Decision]:
        """Raises BudgetExceeded."""
        budget = Budget()
        known = with_variables(values, self._variables, budget)
        results = [self._evaluate(one, known, budget) for one in self._validations]
        silent = with_variables(without_authorizer(values), self._variables, budget)
        return [
            self._denial(validation, silent, budget) if result is None else result
            for validation, result in zip(self._validations, results, strict=True)
        ]

    def _evaluate(self, validation: _Validation, values: Values, budget: Budget) -> Decision | None:
        """None where it does not hold."""
        try:
            holds = validation.expression.evaluate(values, budget)
        except BudgetExceeded:
            raise
        except EvaluationError as error:
            return self._failure(str(error))
        return Decision(denied=False) if holds is True else None

    def _denial(self, validation: _Validation, values: Values, budget: Budget) -> Decision:
        message = ""
        if validation.message_expression is not None:
            try:
                message = _usable(validation.message_expression.evaluate(values, budget))
            except BudgetExceeded as error:
                return self._failure(f"failed messageExpression: {error}")
            except EvaluationError:  # the other messages will do
                message = ""
        message = message or validation.message or f"failed expression: {validation.expression.text.strip()}"
        return Decision(denied=True, message=message, reason=validation.reason)

    def _annotate(self, values: Values) -> Sequence[Annotation]:
        """Raises BudgetExceeded."""
        if not self._annotations:
            return ()
        budget = Budget()
        known = with_variables(values, self._variables, budget)
        return [self._annotation(key, expression, known, budget) for key, expression in self._annotations]

    def _annotation(self, key: str, expression: Expression, values: Values, budget: Budget) -> Annotation:
        try:
            value = expression.evaluate(values, budget)
        except BudgetExceeded:
            raise
        except EvaluationError as error:
            return Annotation(key, problem="" if self._ignores_failure else str(error))
        return Annotation(key, value.strip() if isinstance(value, str) else "")

    def _failure(self, message: str) -> Decision:
        return Decision(denied=not self._ignores_failure, message=message, failed=True)


def _validation(raw: JsonObject, expressions: Expressions) -> _Validation:
    text = raw.get("messageExpression") or ""
    return _Validation(
        Expression.of(raw["expression"], expressions.validation),
        (raw.get("message") or "").strip(),
        Expression.of(text, expressions.message) if text else None,
        raw.get("reason") or "Invalid",
    )


def _usable(value: object) -> str:
    """A message of one line that is not too long."""
    message = value.strip() if isinstance(value, str) else ""
    return "" if len(message.encode()) > _LONGEST_MESSAGE or "\n" in message else message
