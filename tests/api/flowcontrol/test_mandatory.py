"""The fixed objects satisfy the rules of their kinds, and are those that a server sees to."""

import pytest

from pilothouse.api.flowcontrol.flow_schema import RESOURCE as FLOW_SCHEMA
from pilothouse.api.flowcontrol.mandatory import LEVELS, SCHEMAS
from pilothouse.api.flowcontrol.priority_level_configuration import RESOURCE as LEVEL
from pilothouse.api.machinery.field import FieldErrors


@pytest.mark.parametrize("name", ["exempt", "catch-all"])
def test_they_are_valid(name: str) -> None:
    errors = FieldErrors()
    FLOW_SCHEMA.validate({"metadata": {"name": name}, "spec": SCHEMAS[name]}, errors)
    LEVEL.validate({"metadata": {"name": name}, "spec": LEVELS[name]}, errors)
    assert errors == []


def test_there_are_two_of_each() -> None:
    assert sorted(SCHEMAS) == sorted(LEVELS) == ["catch-all", "exempt"]
