"""Whatever is written, and whatever it is given: what goes wrong is told in upstream's words, never by a crash."""

import pytest

from fakes.random_expressions import VARIABLES, RandomExpressions
from pilothouse.api.machinery.cel.budget import Budget
from pilothouse.api.machinery.cel.errors import CompileError, EvaluationError
from pilothouse.api.machinery.cel.estimate import estimate
from pilothouse.api.machinery.cel.library.authorizer import Authorizer, Decision
from pilothouse.api.machinery.cel.program import compile_expression
from pilothouse.api.machinery.cel.types import BOOL, BYTES, DOUBLE, DURATION, INT, STRING, TIMESTAMP, UINT, list_of

WANTED = (BOOL, STRING, INT, DOUBLE, UINT, BYTES, DURATION, TIMESTAMP, list_of(STRING))
VALUES = {
    "object": {"a": 1, "b": "x", "c": [1, "a", None], "d": {"k": 1.5}, "e": None},
    "authorizer": Authorizer(lambda _question: Decision(allowed=True)),
}


@pytest.mark.parametrize("seed", range(20))
def test_nothing_crashes(seed: int) -> None:
    made = RandomExpressions(seed)
    finished = 0
    for number in range(60):
        text = made.of(WANTED[number % len(WANTED)], 1 + number % 3)
        budget = Budget()
        try:
            program = compile_expression(text, VARIABLES)
            program.evaluate(VALUES, budget)
        except CompileError:
            continue
        except EvaluationError:
            finished += 1
            continue
        finished += 1
        assert estimate(program).low <= estimate(program).high
    assert finished > 30
