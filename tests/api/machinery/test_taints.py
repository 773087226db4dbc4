import pytest

from pilothouse.api.machinery.taints import NO_EXECUTE, NO_SCHEDULE, tolerates
from pilothouse.api.types.core_v1 import Taint, Toleration

TAINT = {"key": "k", "value": "5", "effect": NO_SCHEDULE}


@pytest.mark.parametrize(
    ("toleration", "expected"),
    [
        ({"key": "k", "value": "5", "effect": NO_SCHEDULE}, True),
        ({"key": "k", "operator": "Equal", "value": "5"}, True),
        ({"key": "k", "value": "6"}, False),
        ({"key": "k", "value": "5", "effect": NO_EXECUTE}, False),
        ({"key": "other", "value": "5"}, False),
        ({"key": "k", "operator": "Exists"}, True),
        ({"operator": "Exists"}, True),
        ({"operator": "Exists", "effect": NO_EXECUTE}, False),
        ({"key": "k", "operator": "Gt", "value": "4"}, True),
        ({"key": "k", "operator": "Gt", "value": "5"}, False),
        ({"key": "k", "operator": "Lt", "value": "6"}, True),
        ({"key": "k", "operator": "Lt", "value": "5"}, False),
        ({"key": "k", "operator": "Lt", "value": "many"}, False),
        ({"key": "k", "operator": "Lt", "value": "06"}, False),
        ({"key": "k", "operator": "Near", "value": "5"}, False),
    ],
)
def test_what_tolerates_a_taint(toleration: dict[str, str], expected: bool) -> None:
    assert tolerates(Toleration(toleration), Taint(TAINT)) is expected


def test_a_number_is_compared_with_a_number() -> None:
    assert not tolerates(Toleration({"key": "k", "operator": "Gt", "value": "4"}), Taint({**TAINT, "value": "high"}))
