"""The order of a merged list, apart from patches."""

import pytest

from pilothouse.api.machinery.errors import Invalid, StatusError
from pilothouse.api.machinery.patch.order import are_objects, by_key, in_order


@pytest.mark.parametrize(
    ("merged", "wanted", "before", "result"),
    [
        ([], [], [], []),
        ([1, 2, 3], [], [1, 2, 3], [1, 2, 3]),
        ([1, 2, 3], [3, 1], [1, 2, 3], [2, 3, 1]),
        ([1, 2, 3, 4], [4, 3], [1, 2, 3], [4, 1, 2, 3]),
        ([1, 2, 3, 4], [3, 4], [1, 2, 3], [1, 2, 3, 4]),
        ([2, 1], [9], [2, 1], [2, 1]),
    ],
)
def test_weaving(merged: list[int], wanted: list[int], before: list[int], result: list[int]) -> None:
    assert in_order(merged, wanted, before, "") == result


def test_the_first_item_has_the_key() -> None:
    assert by_key([{"name": "a"}, {"name": "b"}, {"name": "a"}, {}], "name") == {"a": 0, "b": 1}


def test_kinds_of_items() -> None:
    assert are_objects([{}], [{}])
    assert not are_objects([1], [1.5])
    with pytest.raises(StatusError, match="list element types are not identical"):
        are_objects([1], ["a"])
    with pytest.raises(Invalid):
        are_objects([[]], [])
