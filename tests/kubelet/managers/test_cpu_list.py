"""Lists of processors are read and written as the kernel does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.kubelet.managers.cpu_list import parse, text


@pytest.mark.parametrize(
    ("written", "cpus", "again"),
    [
        ("", set(), ""),
        ("\n", set(), ""),
        ("3", {3}, "3"),
        ("0-2,5\n", {0, 1, 2, 5}, "0-2,5"),
        ("5,1-1,0", {0, 1, 5}, "0-1,5"),
    ],
)
def test_lists_are_read_and_written(written: str, cpus: set[int], again: str) -> None:
    assert parse(written) == cpus
    assert text(parse(written)) == again


@pytest.mark.parametrize("written", ["a", "1-", "3-1", "-1", "1-2-3"])
def test_nonsense_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="inval"):
        parse(written)


@given(st.frozensets(st.integers(0, 300)))
def test_what_is_written_is_what_is_read(cpus: frozenset[int]) -> None:
    assert parse(text(cpus)) == cpus
