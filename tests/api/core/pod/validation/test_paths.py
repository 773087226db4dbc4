"""Rules of paths. Expected texts: pkg/apis/core/validation/validation.go."""

import pytest

from pilothouse.api.core.pod.validation.paths import local_not_reserved
from pilothouse.api.machinery.field import FieldErrors


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a/b", []),
        ("a..b", []),
        ("/a", ["must be a relative path"]),
        ("a/..", ["must not contain '..'"]),
        ("../a", ["must not contain '..'"]),
        ("..a", ["must not start with '..'"]),
        ("..", ["must not contain '..'", "must not start with '..'"]),
    ],
)
def test_local_paths(path: str, expected: list[str]) -> None:
    errors = FieldErrors()
    local_not_reserved(path, errors, "p")
    assert [error.detail for error in errors] == expected
