"""Sets of indexes. Source: TestValidateIndexesString and TestValidateFailedIndexesNotOverlapCompleted upstream."""

import re

import pytest

from pilothouse.api.batch.job.indexes import count_indexes, first_in_both


@pytest.mark.parametrize(("text", "count"), [("", 0), ("0", 1), ("0,1", 2), ("0-2,4", 4), ("1-3,5-6", 5)])
def test_count(text: str, count: int) -> None:
    assert count_indexes(text, 7) == count


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("7", 'too large index: "7"'),
        ("0-7", 'too large index: "7"'),
        ("a", 'cannot convert string to integer for index: "a"'),
        ("0-b", 'cannot convert string to integer for index: "b"'),
        ("-1", 'cannot convert string to integer for index: ""'),
        (
            "0-1-2",
            (
                'the fragment "0-1-2" violates the requirement that an index interval can have at most two parts '
                "separated by '-'"
            ),
        ),
        ("2-1", "non-increasing order, previous: 2, current: 1"),
        ("1-1", "non-increasing order, previous: 1, current: 1"),
        ("3,2", "non-increasing order, previous: 3, current: 2"),
        ("0-3,3", "non-increasing order, previous: 3, current: 3"),
    ],
)
def test_no_sets(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(why)}$"):
        count_indexes(text, 7)


@pytest.mark.parametrize(
    ("completed", "failed", "shared"),
    [("", "1", None), ("0,2", "1,3", None), ("0-4", "3-6", 3), ("5", "1-6", 5), ("x,4", "9,4", 4), ("0-1,4", "4,x", 4)],
)
def test_shared(completed: str, failed: str, shared: int | None) -> None:
    assert first_in_both(completed, failed, 7) == shared
