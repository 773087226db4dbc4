"""What has come before is found as by comparing each with each, and compared with nothing."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pilothouse.api.machinery.repeats import repeats

_items = st.sampled_from(["a", "1", '"a"', 1, None, {"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": 1}, [1], []])


@given(st.lists(_items))
def test_the_same_positions_as_by_comparison(items: list[Any]) -> None:
    assert list(repeats(items)) == [position for position, item in enumerate(items) if item in items[:position]]


def test_nothing_is_compared_with_all_before_it() -> None:
    class Text(str):
        __slots__ = ()
        compared = 0

        __hash__ = str.__hash__

        def __eq__(self, other: object) -> bool:
            Text.compared += 1
            return super().__eq__(other)

    assert list(repeats([*map(Text, range(5000)), "7"])) == [5000]
    assert Text.compared <= 2
