"""Addresses in objects: their family, and which of them cannot be reached as an endpoint.

Sources: pkg/apis/core/validation/validation.go (ValidateNonSpecialIP), apimachinery/pkg/util/validation/ip.go
(IsValidIP, IsValidCIDR), RFC 4291 and RFC 3927 for the ranges.
"""

import ipaddress

from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.names import cidr, ip

IPV4 = "IPv4"
IPV6 = "IPv6"


def parse(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address, None for anything else; leading zeros are decimal, as old objects may have them."""
    try:
        head = ".".join(part.lstrip("0") or "0" for part in text.split(".")) if ":" not in text else text
        return ipaddress.ip_address(head)
    except ValueError:
        return None


def family(text: str) -> str:
    """`IPv4` or `IPv6`; empty for what is no address."""
    address = parse(text)
    if address is None:
        return ""
    return IPV4 if address.version == 4 or address.ipv4_mapped else IPV6


def canonical_ip(text: str) -> list[str]:
    """What is wrong with an address that must be written in the one canonical way (RFC 5952)."""
    return ip(text) or _not_canonical(text, str(ipaddress.ip_address(text)))


def canonical_cidr(text: str) -> list[str]:
    """The same of a block."""
    return cidr(text) or _not_canonical(text, str(ipaddress.ip_network(text)))


def _not_canonical(text: str, canonical: str) -> list[str]:
    return [] if text == canonical else [f'must be in canonical form ("{canonical}")']


def validate_non_special(text: str, errors: FieldErrors, path: str) -> None:
    """An address that another machine can reach: not unspecified, loopback or link-local."""
    address = parse(text)
    if address is None:
        errors.invalid(path, text, "must be a valid IP address")
        return
    if address.is_unspecified:
        errors.invalid(path, text, f"may not be unspecified ({text})")
    if address.is_loopback:
        errors.invalid(path, text, "may not be in the loopback range (127.0.0.0/8, ::1/128)")
    if address.is_multicast:
        if address in _LOCAL_MULTICAST[address.version]:
            why = "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"
            errors.invalid(path, text, why)
    elif address.is_link_local:
        errors.invalid(path, text, "may not be in the link-local range (169.254.0.0/16, fe80::/10)")


_LOCAL_MULTICAST = {4: ipaddress.ip_network("224.0.0.0/24"), 6: ipaddress.ip_network("ff02::/16")}
