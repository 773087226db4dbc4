"""Which images may be exempted from verification."""

import pytest

from pilothouse.kubelet.configuration.image_rules import pattern_error


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("registry.example/app", ""),
        ("registry.example/*", ""),
        ("registry.example/team/*", ""),
        (" a.example/b", "leading/trailing spaces are not allowed:  a.example/b"),
        ("", "the supplied pattern is too short: "),
        ("/*", "at least registry hostname is required"),
        ("a.example/b*", "not a valid wildcard pattern, only patterns ending with '/*' are allowed: a.example/b*"),
        ("a.*/b/*", "not a valid wildcard pattern, only patterns ending with '/*' are allowed: a.*/b/*"),
        ("a.example/b:1", "neither tag nor digest is accepted in an image reference: a.example/b:1"),
        ("busybox", "neither tag nor digest is accepted in an image reference: busybox"),
        ("a.example/UPPER", ("failed to parse as an image name: invalid reference format: repository name (UPPER) must "
                            "be lowercase")),
    ],
)  # fmt: skip
def test_patterns(pattern: str, why: str) -> None:
    assert pattern_error(pattern) == why
