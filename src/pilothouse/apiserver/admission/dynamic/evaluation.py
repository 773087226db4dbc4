"""Expressions at work: what they are evaluated on, and how a failure is told.

An expression that does not compile is kept with what is wrong with it, and fails when its turn comes, as upstream's
does: policies may have been stored by another version. Variables are worked out where they are used, once for a request
and its parameters. Source: apiserver/pkg/admission/plugin/cel/{activation,composition}.go.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pilothouse.api.admissionregistration.expressions import Expressions
from pilothouse.api.machinery.cel.budget import Budget
from pilothouse.api.machinery.cel.errors import BudgetExceeded, CompileError, EvaluationError
from pilothouse.api.machinery.cel.program import Program
from pilothouse.api.machinery.cel.values import Lazy
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.admission.dynamic.leave import asked_for, authorizer_of
from pilothouse.apiserver.admission.dynamic.request import Request, Target
from pilothouse.apiserver.authorization.framework import Authorizer

SPENT = "validation failed due to running out of cost budget, no further validation rules will be run"
_HIDDEN = ("managedFields", "ownerReferences", "selfLink")
"""Of a Namespace's metadata."""
Values = dict[str, object]


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression, or why it is none."""

    text: str
    program: Program | None
    wrong: str = ""

    @classmethod
    def of(cls, text: str, compile_: Callable[[str], Program]) -> "Expression":
        """Compile."""
        try:
            return cls(text, compile_(text))
        except CompileError as error:
            return cls(text, None, error.detail)

    def evaluate(self, values: Mapping[str, object], budget: Budget) -> object:
        """What it comes to. Raises EvaluationError in upstream's words, BudgetExceeded where no other may run."""
        if self.program is None:
            raise EvaluationError(f"compilation error: {self.wrong}")
        try:
            return self.program.evaluate(values, budget)
        except EvaluationError as error:
            if budget.left < 0:
                raise BudgetExceeded(SPENT) from None
            raise EvaluationError(f"expression '{self.text}' resulted in error: {error}") from None


Variables = Sequence[tuple[str, Expression]]


def compile_variables(spec: JsonObject, expressions: Expressions) -> Variables:
    """The variables of a policy, in their order."""
    found = [(one.get("name") or "", one.get("expression") or "") for one in spec.get("variables") or ()]
    return [(name, Expression.of(text, partial(expressions.variable, name))) for name, text in found]


def values_of(
    request: Request, matched: Target, namespace: JsonObject | None, params: JsonObject | None, authorizer: Authorizer
) -> Values:
    """What expressions may speak of: the request as it was matched, its namespace, its parameters."""
    seen = request.seen_as(matched.kind)
    return {
        "object": seen.object,
        "oldObject": seen.old,
        "params": params,
        "request": Lazy(partial(request.describe, matched)),
        "namespaceObject": None if namespace is None else Lazy(partial(_shown_namespace, namespace)),
        "authorizer": Lazy(partial(authorizer_of, authorizer, request.user)),
        "authorizer.requestResource": Lazy(partial(asked_for, authorizer, request)),
    }


def without_authorizer(values: Values) -> Values:
    """The same where nobody can be asked for leave: what messages are made of."""
    return {name: value for name, value in values.items() if not name.startswith("authorizer")}


def with_variables(values: Values, variables: Variables, budget: Budget) -> Values:
    """The same and the variables, each worked out at its first use, at the cost of `budget`."""
    if not variables:
        return values
    known = dict(values)
    known["variables"] = _Composited(
        {name: Lazy(partial(_variable, name, of, known, budget)) for name, of in variables}
    )
    return known


class _Composited(dict[str, Lazy]):
    """The value of `variables`."""

    def __getitem__(self, name: str) -> Any:
        return super().__getitem__(name).get()

    def get(self, name: str, default: object = None) -> Any:
        """A variable, where there is one of the name."""
        try:
            return self[name]
        except KeyError:
            return default


def _variable(name: str, expression: Expression, values: Values, budget: Budget) -> object:
    if expression.program is None:
        raise EvaluationError(f'composited variable "{name}" fails to compile: {expression.wrong}')
    try:
        return expression.program.evaluate(values, budget)
    except EvaluationError as error:
        raise EvaluationError(f'composited variable "{name}" fails to evaluate: {error}') from None


def _shown_namespace(namespace: JsonObject) -> JsonObject:
    metadata = {name: value for name, value in namespace["metadata"].items() if name not in _HIDDEN}
    return {"metadata": metadata, **{name: namespace[name] for name in ("spec", "status") if name in namespace}}
