"""Match conditions: expressions that must all be true, or the policy or webhook is not asked.

One that is false settles it, whatever became of the others; else one that failed leaves it to the failure policy.
Source: apiserver/pkg/admission/plugin/webhook/matchconditions/matcher.go.
"""

from collections.abc import Sequence

from pilothouse.api.admissionregistration.expressions import Expressions
from pilothouse.api.machinery.cel.budget import RUNTIME_COST_BUDGET_MATCH_CONDITIONS, Budget
from pilothouse.api.machinery.cel.errors import BudgetExceeded, EvaluationError
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.admission.dynamic.evaluation import Expression, Values


class ConditionError(Exception):
    """They cannot be decided, and the failure policy is Fail."""


class Conditions:
    """The match conditions of one policy or webhook."""

    def __init__(self, conditions: Sequence[JsonObject], *, params: bool, ignores_failure: bool) -> None:
        compile_ = Expressions(params=params).condition
        self._conditions = tuple([Expression.of(one.get("expression") or "", compile_) for one in conditions])
        self._ignores_failure = ignores_failure

    def hold(self, values: Values) -> bool:
        """Whether all are true. Raises ConditionError."""
        if not self._conditions:
            return True
        budget = Budget(RUNTIME_COST_BUDGET_MATCH_CONDITIONS)
        problems: list[str] = []
        results: list[object] = []
        for condition in self._conditions:
            try:
                results.append(condition.evaluate(values, budget))
            except BudgetExceeded as error:
                return self._failed([str(error)])
            except EvaluationError as error:
                problems.append(str(error))
        if False in results:
            return False
        return self._failed(problems) if problems else True

    def _failed(self, problems: Sequence[str]) -> bool:
        if self._ignores_failure:
            return False
        unique = list(dict.fromkeys(problems))
        raise ConditionError(unique[0] if len(unique) == 1 else f"[{', '.join(unique)}]")
