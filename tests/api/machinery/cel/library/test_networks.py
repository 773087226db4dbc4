"""Addresses and blocks."""

import pytest

from fakes.cel_expressions import evaluated

PARSE = "parse error during conversion from string"
LARGE = "IPv4 field has value >255"
ZERO = "IPv4 field has octet with leading zero"
WORDS = "error: network address parse error during conversion from string: "


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("ip('127.0.0.1').family() + ip('::1').family()", 10),
        ("string(ip('2001:DB8::ABCD'))", "2001:db8::abcd"),
        ("ip.isCanonical('2001:db8::abcd') && !ip.isCanonical('2001:DB8::ABCD')", True),
        ("isIP('10.0.0.256') || isIP('::ffff:1.2.3.4') || isIP('fe80::1%eth0') || isIP('')", False),
        ("ip('10.0.0.1') == ip('10.0.0.1') && ip('::1') != ip('::2')", True),
        ("ip('0.0.0.0').isUnspecified() && ip('::').isUnspecified()", True),
        ("ip('127.1.2.3').isLoopback() && !ip('128.0.0.1').isLoopback()", True),
        ("ip('224.0.0.1').isLinkLocalMulticast() && ip('ff02::1').isLinkLocalMulticast()", True),
        ("ip('224.0.1.1').isLinkLocalMulticast() || ip('fd00::1').isLinkLocalMulticast()", False),
        ("ip('169.254.169.254').isLinkLocalUnicast() && ip('fe80::1').isLinkLocalUnicast()", True),
        ("ip('192.168.0.1').isGlobalUnicast() && ip('2001:db8::abcd').isGlobalUnicast()", True),
        ("ip('255.255.255.255').isGlobalUnicast() || ip('ff00::1').isGlobalUnicast()", False),
        ("cidr('192.168.0.0/24').containsIP('192.168.0.1')", True),
        ("cidr('192.168.0.0/24').containsIP(ip('192.168.1.1'))", False),
        ("cidr('192.168.0.0/24').containsIP('::1')", False),
        ("cidr('192.168.0.0/16').containsCIDR('192.168.0.0/24')", True),
        ("cidr('192.168.0.0/16').containsCIDR('192.168.10.0/24')", False),
        ("cidr('192.168.0.0/24').containsCIDR(cidr('192.168.0.0/16'))", False),
        ("string(cidr('192.168.0.1/24').ip())", "192.168.0.1"),
        ("string(cidr('192.168.0.1/24').masked())", "192.168.0.0/24"),
        ("cidr('192.168.0.1/24') == cidr('192.168.0.0/24')", False),
        ("cidr('::1/128').prefixLength()", 128),
        ("isCIDR('10.0.0.0/8') && !isCIDR('10.0.0.0/33') && !isCIDR('10.0.0.0') && !isCIDR('10.0.0.0/08')", True),
        ("ip('x')", f'error: IP Address "x" {PARSE}: ParseAddr("x"): unable to parse IP'),
        ("ip('1.2.3.4.5')", f'error: IP Address "1.2.3.4.5" {PARSE}: ParseAddr("1.2.3.4.5"): IPv4 address too long'),
        ("ip('1.2.3.999')", f'error: IP Address "1.2.3.999" {PARSE}: ParseAddr("1.2.3.999"): {LARGE}'),
        ("ip('1.2.3.01')", f'error: IP Address "1.2.3.01" {PARSE}: ParseAddr("1.2.3.01"): {ZERO}'),
        ("ip('::ffff:1.2.3.4')", 'error: IPv4-mapped IPv6 address "::ffff:1.2.3.4" is not allowed'),
        ("ip('fe80::1%eth0')", 'error: IP address "fe80::1%eth0" with zone value is not allowed'),
        ("cidr('10.0.0.0')", f"{WORDS}{WORDS[7:]}netip.ParsePrefix(\"10.0.0.0\"): no '/'"),
        ("cidr('10.0.0.0/33')", f'{WORDS}{WORDS[7:]}netip.ParsePrefix("10.0.0.0/33"): prefix length out of range'),
    ],
)  # fmt: skip
def test_functions(text: str, value: object) -> None:
    assert evaluated(text) == value
