"""What expressions may cost, in upstream's units (about one for a step, a tenth for a byte of text that is walked).

Every call is held to `PER_CALL_LIMIT`; a budget shared by the expressions of one request falls by what each cost.
Source: apiserver/pkg/apis/cel/config.go, interpreter/runtimecost.go of google/cel-go.
"""

from pilothouse.api.machinery.cel.errors import BudgetExceeded

PER_CALL_LIMIT = 1_000_000
RUNTIME_COST_BUDGET = 10_000_000
"""Of all expressions of one policy and binding, or of one object's CRD rules."""
RUNTIME_COST_BUDGET_MATCH_CONDITIONS = RUNTIME_COST_BUDGET // 4
"""Of the match conditions of one webhook or policy."""


class Budget:
    """What is left for a row of expressions. `used` is what the calls so far cost."""

    __slots__ = ("limit", "per_call", "used")

    def __init__(self, limit: int = RUNTIME_COST_BUDGET, per_call: int = PER_CALL_LIMIT) -> None:
        self.limit = limit
        self.per_call = per_call
        self.used = 0

    @property
    def left(self) -> int:
        """What may still be spent."""
        return self.limit - self.used

    def charge(self, cost: int) -> None:
        """Takes the cost of one finished call, and complains where the whole is spent."""
        self.used += cost
        if self.used > self.limit:
            raise BudgetExceeded(
                "validation failed due to running out of cost budget, no further validation rules will be run"
            )
