"""Values beside JSON's own."""

import pytest

from pilothouse.api.machinery.cel.values import (
    Duration,
    Lazy,
    Optional,
    Struct,
    Timestamp,
    TypeValue,
    Uint,
    size_of,
    type_name_of,
)


class Numbers(list[int]):
    """A list of another class."""


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (True, "bool"),
        (1, "int"),
        (Uint(1), "uint"),
        (1.0, "double"),
        ("", "string"),
        (b"", "bytes"),
        (None, "null_type"),
        ([], "list"),
        (Numbers(), "list"),
        ({}, "map"),
        (Struct("Object.spec", {}), "Object.spec"),
        (Duration(1), "google.protobuf.Duration"),
        (Timestamp(1), "google.protobuf.Timestamp"),
        (Optional(1), "optional_type"),
        (TypeValue("int"), "type"),
    ],
)
def test_names_of_types(value: object, name: str) -> None:
    assert type_name_of(value) == name


def test_sizes() -> None:
    assert [size_of(value) for value in ("aé", b"abc", [1], {"a": 1, "b": 2}, 17, None)] == [2, 3, 1, 2, 1, 1]


def test_a_failed_lazy_value_fails_again_without_another_try() -> None:
    tries: list[int] = []

    def fail() -> object:
        tries.append(1)
        raise ValueError("no")

    lazy = Lazy(fail)
    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            lazy.get()
    assert tries == [1]
