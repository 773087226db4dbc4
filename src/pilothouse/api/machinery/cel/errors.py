"""What can go wrong with an expression: it does not compile, it fails, or it costs too much."""


class CompileError(Exception):
    """The expression is wrong. The text is upstream's: what follows `compilation failed: `, or `must evaluate to ...`.

    Callers put `compilation failed: ` before it where `in_expression` says so, and nothing where it is only the type.
    """

    def __init__(self, text: str, *, in_expression: bool = True) -> None:
        super().__init__(text)
        self.text = text
        self.in_expression = in_expression

    @property
    def detail(self) -> str:
        """The whole text as upstream gives it in a field error."""
        return f"compilation failed: {self.text}" if self.in_expression else self.text


class EvaluationError(Exception):
    """The expression failed for these values, with upstream's text: `no such key: foo`, `division by zero`."""


class BudgetExceeded(EvaluationError):
    """It was stopped: either this call costs more than one may, or the budget of all is spent."""
