"""Leaves in their canonical form; what is wrong with them is tested where they are checked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.api.machinery.schema.leaves import base64_text, time_text
from pilothouse.runtime.clock import format_micro_time, format_time


@pytest.mark.parametrize(
    ("text", "kept"), [("", ""), ("YWJj", "YWJj"), ("YQ==", "YQ=="), ("YW\r\nJj\n", "YWJj"), ("+/+/", "+/+/")]
)
def test_base64(text: str, kept: str) -> None:
    assert base64_text(text) == kept


@pytest.mark.parametrize("text", ["YQ", "YQ=", "=", "a b c d", "YW-_", "YQ==YQ=="])
def test_what_is_no_base64(text: str) -> None:
    with pytest.raises(ValueError, match="illegal base64 data at input byte"):
        base64_text(text)


@given(st.integers(0, 4_000_000_000))
def test_our_own_times_are_canonical(instant: int) -> None:
    assert time_text(format_time(instant)) == format_time(instant)
    assert time_text(format_micro_time(instant), micro=True) == format_micro_time(instant)
