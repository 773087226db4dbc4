"""What two kinds share is tried with one that has nothing else: VolumeAttributesClass."""

import pytest

from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.storage.parameters import validate_driver, validate_parameters


@pytest.mark.parametrize(("count", "good"), [(512, True), (513, False)])
def test_parameters_are_counted(count: int, good: bool) -> None:
    errors = FieldErrors()
    validate_parameters({str(number): "" for number in range(count)}, errors, "parameters")
    assert (not errors) is good


@pytest.mark.parametrize(("size", "good"), [(262143, True), (262144, False)])
def test_parameters_are_measured(size: int, good: bool) -> None:
    errors = FieldErrors()
    validate_parameters({"a": "x" * size}, errors, "parameters")
    assert (not errors) is good


@pytest.mark.parametrize(("name", "good"), [("CSI.example.com", True), ("", False), (None, False), ("-", False)])
def test_a_driver_has_a_qualified_name(name: str | None, good: bool) -> None:
    errors = FieldErrors()
    validate_driver(name, errors, "provisioner")
    assert (not errors) is good
