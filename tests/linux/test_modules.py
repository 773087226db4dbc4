"""Modules that there are not."""

from pilothouse.linux.modules import load


def test_a_module_that_nobody_has() -> None:
    assert not load("ph_no_such_module")
