"""Addresses that endpoints may have. Source: ValidateNonSpecialIP in pkg/apis/core/validation/validation_test.go."""

import pytest

from pilothouse.api.machinery.addresses import family, parse, validate_non_special
from pilothouse.api.machinery.field import FieldErrors


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("10.1.2.3", ""),
        ("2001:db8::1", ""),
        ("224.0.1.1", ""),
        ("x", "must be a valid IP address"),
        ("0.0.0.0", "may not be unspecified (0.0.0.0)"),
        ("::", "may not be unspecified (::)"),
        ("127.0.0.1", "may not be in the loopback range (127.0.0.0/8, ::1/128)"),
        ("::1", "may not be in the loopback range (127.0.0.0/8, ::1/128)"),
        ("169.254.169.254", "may not be in the link-local range (169.254.0.0/16, fe80::/10)"),
        ("fe80::1", "may not be in the link-local range (169.254.0.0/16, fe80::/10)"),
        ("224.0.0.1", "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"),
        ("ff02::1", "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"),
    ],
)
def test_non_special(text: str, wrong: str) -> None:
    errors = FieldErrors()
    validate_non_special(text, errors, "ip")
    assert [error.detail for error in errors] == ([wrong] if wrong else [])


def test_family() -> None:
    assert [family(text) for text in ("10.0.0.1", "::ffff:10.0.0.1", "fd00::1", "None")] == ["IPv4", "IPv4", "IPv6", ""]
    assert str(parse("010.0.0.1")) == "10.0.0.1"
