"""Source: TestGetWarningsForIP and TestGetWarningsForCIDR in apimachinery/pkg/util/validation/ip_test.go."""

import pytest

from pilothouse.api.machinery.address_warnings import warn_of_cidr, warn_of_ip

FUTURE = "will be considered invalid in a future Kubernetes release"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("10.1.2.3", []),
        ("fd00::1", []),
        ("no", []),
        ("10.01.2.3", [f'x: non-standard IP address "10.01.2.3" {FUTURE}: use "10.1.2.3"']),
        ("::ffff:10.1.2.3", [f'x: non-standard IP address "::ffff:10.1.2.3" {FUTURE}: use "10.1.2.3"']),
        ("FD00::1", ['x: IPv6 address "FD00::1" should be in RFC 5952 canonical format ("fd00::1")']),
    ],
)
def test_addresses(text: str, told: list[str]) -> None:
    assert list(warn_of_ip(text, "x")) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("10.1.2.0/24", []),
        ("fd00::/64", []),
        ("10.1.2.0", []),
        ("10.1.2.0/33", []),
        (
            "10.1.2.3/24",
            ['x: CIDR value "10.1.2.3/24" is ambiguous in this context (should be "10.1.2.0/24" or "10.1.2.3/32"?)'],
        ),
        ("010.1.2.0/24", [f'x: non-standard CIDR value "010.1.2.0/24" {FUTURE}: use "10.1.2.0/24"']),
        ("10.1.2.0/08", [
            'x: CIDR value "10.1.2.0/08" is ambiguous in this context (should be "10.0.0.0/8" or "10.1.2.0/32"?)',
            f'x: non-standard CIDR value "10.1.2.0/08" {FUTURE}: use "10.0.0.0/8"',
        ]),
        ("FD00::/64", ['x: IPv6 CIDR value "FD00::/64" should be in RFC 5952 canonical format ("fd00::/64")']),
    ],
)  # fmt: skip
def test_blocks(text: str, told: list[str]) -> None:
    assert list(warn_of_cidr(text, "x")) == told
