"""Addresses in objects: rules for them, their family, and which of them cannot be reached as an endpoint.

A rule takes a text and returns what is wrong with it, as those of `names.py` do.

Sources: pkg/apis/core/validation/validation.go (ValidateNonSpecialIP), apimachinery/pkg/util/validation/ip.go
(IsValidIP, IsValidCIDR), RFC 4291 and RFC 3927 for the ranges.
"""

import ipaddress

from pilothouse.api.machinery.field import FieldErrors

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
IPV4 = "IPv4"
IPV6 = "IPv6"


def parse(text: str) -> Address | None:
    """The address, read as upstream's lenient parser does: leading zeros are decimal, zones are refused."""
    if "%" in text:
        return None
    head, colon, dotted = text.rpartition(":")
    if "." in dotted:
        parts = dotted.split(".")
        if not all(part.isascii() and part.isdigit() for part in parts):
            return None
        text = head + colon + ".".join(str(int(part)) if len(part) < 20 else part for part in parts)
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def family(text: str) -> str:
    """`IPv4` or `IPv6`; empty for what is no address."""
    address = parse(text)
    if address is None:
        return ""
    return IPV4 if address.version == 4 or address.ipv4_mapped else IPV6


def ip(text: str, *, strict: bool = True) -> list[str]:
    """An IPv4 or IPv6 address. Without `strict`, leading zeros and IPv4-mapped forms pass, as in stored objects."""
    address = parse(text)
    if address is None:
        return ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"]
    if strict and _has_leading_zeros(text):
        return ["must not have leading 0s"]
    if strict and _is_mapped(address):
        return ["must not be an IPv4-mapped IPv6 address"]
    return []


def ipv4(text: str) -> list[str]:
    """An IPv4 address."""
    address = parse(text)
    good = address is not None and (address.version == 4 or _is_mapped(address))
    return [] if good else ["must be a valid IPv4 address"]


def ipv6(text: str) -> list[str]:
    """An IPv6 address."""
    address = parse(text)
    good = address is not None and address.version == 6 and not _is_mapped(address)
    return [] if good else ["must be a valid IPv6 address"]


def cidr(text: str, *, strict: bool = True) -> list[str]:
    """An address block. Without `strict`, leading zeros and host bits pass."""
    head, slash, tail = text.partition("/")
    address = parse(head)
    valid = slash and address is not None and tail.isascii() and tail.isdigit() and len(tail) <= 20
    if not valid or address is None or int(tail) > address.max_prefixlen:
        return ["must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"]
    if not strict:
        return []
    if _has_leading_zeros(head) or (len(tail) > 1 and tail[0] == "0"):
        return ["must not have leading 0s in IP or prefix length"]
    if _is_mapped(address):
        return ["must not have an IPv4-mapped IPv6 address"]
    if int(address) & ((1 << (address.max_prefixlen - int(tail))) - 1):
        return ["must not have bits set beyond the prefix length"]
    return []


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


def _has_leading_zeros(text: str) -> bool:
    dotted = text.rpartition(":")[2]
    return "." in dotted and any(len(part) > 1 and part[0] == "0" for part in dotted.split("."))


def _is_mapped(address: Address) -> bool:
    return isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None
