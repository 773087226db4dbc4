"""Source: pkg/apis/resource/validation/validation_resourceslice_test.go."""

import pytest

from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.resource.identifiers import (
    validate_fully_qualified,
    validate_pool,
    validate_qualified,
    validate_uid,
)

UID = "11111111-2222-3333-4444-55555555aaaa"


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("model", []),
        ("dra.example.com/model_2", []),
        ("a/b/c", ['x: Invalid value: "a/b/c": must not contain more than one slash']),
        ("/model", ['x: Invalid value: "": the domain must not be empty']),
        ("a/", ['x: Invalid value: "": the name must not be empty']),
        ("m" * 33, ["x: Too long: may not be more than 32 bytes"]),
    ],
)
def test_qualified(name: str, wrong: list[str]) -> None:
    errors = FieldErrors()
    validate_qualified(name, errors, "x")
    assert [str(error) for error in errors] == wrong


def test_fully_qualified() -> None:
    errors = FieldErrors()
    validate_fully_qualified("a.b/c", errors, "x")
    assert errors == []
    validate_fully_qualified("c", errors, "x")
    words = "a fully qualified name must be a domain and a name separated by a slash"
    assert [str(error) for error in errors] == [f'x: Invalid value: "c": {words}']


@pytest.mark.parametrize(
    ("name", "details"), [("a/b.c", 0), ("", 1), ("A/b", 1), ("a//b", 1), ("/".join("ab" * 70), 1)]
)
def test_pools(name: str, details: int) -> None:
    errors = FieldErrors()
    validate_pool(name, errors, "x")
    assert len(errors) == details


@pytest.mark.parametrize(
    ("uid", "wrong"),
    [
        (UID, ""),
        (UID.upper(), "uid must be in RFC 4122 normalized form"),
        ("abc", "error validating uid: invalid UUID length: 3"),
        ("x" * 36, "error validating uid: invalid UUID format"),
    ],
)
def test_uids(uid: str, wrong: str) -> None:
    errors = FieldErrors()
    validate_uid(uid, errors, "x")
    assert [error.detail.partition(",")[0] for error in errors] == ([wrong] if wrong else [])


def test_a_pool_of_slashes_is_not_a_million_findings() -> None:
    errors = FieldErrors()
    validate_pool("/" * 1_000_000, errors, "x")
    assert len(list(errors)) < 1000
