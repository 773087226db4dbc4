"""Rules for addresses, and which endpoints may have.

Source: ValidateNonSpecialIP in pkg/apis/core/validation/validation_test.go. *Assumed* for v1.37: the strict rules.
"""

from collections.abc import Callable

import pytest

from pilothouse.api.machinery.addresses import cidr, family, ip, ipv4, ipv6, parse, validate_non_special
from pilothouse.api.machinery.field import FieldErrors

BAD_IP = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
BAD_CIDR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"


@pytest.mark.parametrize(
    ("rule", "value", "wrong"),
    [
        (ip, "10.9.8.7", []),
        (ip, "2001:db8::1", []),
        (ip, "fe80::1%eth0", [BAD_IP]),
        (ip, "10.9.8", [BAD_IP]),
        (ip, "", [BAD_IP]),
        (ip, "10.9.8.07", ["must not have leading 0s"]),
        (ip, "::ffff:1.2.3.4", ["must not be an IPv4-mapped IPv6 address"]),
        (ipv4, "1.2.3.4", []),
        (ipv4, "::1", ["must be a valid IPv4 address"]),
        (ipv6, "::1", []),
        (ipv6, "1.2.3.4", ["must be a valid IPv6 address"]),
        (cidr, "10.0.0.0/8", []),
        (cidr, "2001:db8::/64", []),
        (cidr, "10.0.0.0", [BAD_CIDR]),
        (cidr, "10.0.0.0/33", [BAD_CIDR]),
        (cidr, "10.0.0.0/+8", [BAD_CIDR]),
        (cidr, "10.0.0.0/08", ["must not have leading 0s in IP or prefix length"]),
        (cidr, "10.0.0.1/8", ["must not have bits set beyond the prefix length"]),
    ],
)
def test_rules(rule: Callable[[str], list[str]], value: str, wrong: list[str]) -> None:
    assert rule(value) == wrong


def test_stored_addresses_may_be_sloppy() -> None:
    assert ip("010.09.8.07", strict=False) == []
    assert ip("::ffff:1.2.3.4", strict=False) == []
    assert cidr("10.0.0.1/08", strict=False) == []
    assert ip("1.2.3.256", strict=False) == [BAD_IP]


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


@pytest.mark.parametrize("text", ["", "1..2.3", "1.2.3", "fe80::1%eth0", "1.2.3.4.5", "::ffff:1..2.3", "None"])
def test_what_is_no_address(text: str) -> None:
    assert parse(text) is None
