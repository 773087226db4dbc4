"""Addresses and blocks of addresses: `cidr('10.0.0.0/8').containsIP(ip('10.1.2.3'))`.

IPv4-mapped addresses and zones are refused. Sources: apiserver/pkg/cel/library/ip.go and cidr.go; net/netip of Go's
documentation for what is wrong with an address and how it is said.
"""

import ipaddress
from dataclasses import dataclass

from pilothouse.api.machinery.cel.declarations import library
from pilothouse.api.machinery.cel.errors import EvaluationError
from pilothouse.api.machinery.cel.library.formatting import quoted
from pilothouse.api.machinery.cel.values import Opaque

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Ip(Opaque):
    """An address."""

    address: Address

    type_name = "net.IP"

    def size(self) -> int:
        """In bytes."""
        return self.address.max_prefixlen // 8

    def __str__(self) -> str:
        return str(self.address)


@dataclass(frozen=True, slots=True)
class Cidr(Opaque):
    """A block, with the address it was written with: `10.0.0.1/8` is not `10.0.0.0/8`."""

    address: Address
    bits: int

    type_name = "net.CIDR"

    def size(self) -> int:
        """The bytes of its prefix."""
        return -(-self.bits // 8)

    def __str__(self) -> str:
        return f"{self.address}/{self.bits}"

    def masked(self) -> "Cidr":
        """The same with the bits after the prefix taken away."""
        return Cidr(_masked(self.address, self.bits), self.bits)


def _masked(address: Address, bits: int) -> Address:
    return ipaddress.ip_network(
        (int(address) if address.version == 6 else str(address), bits), strict=False
    ).network_address


def _parse_address(text: str) -> Address:
    """The address. Raises ValueError with Go's words."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        raise ValueError(f"ParseAddr({quoted(text)}): {_what_is_wrong(text)}") from None


def _what_is_wrong(text: str) -> str:
    for char in text:
        if char == ".":
            return _wrong_ipv4(text)
        if char == ":":
            return (
                "each colon-separated field must have at least one digit" if ":::" in text else "unexpected character"
            )
        if char == "%":
            return "missing IPv6 address"
    return "unable to parse IP"


def _wrong_ipv4(text: str) -> str:
    fields = text.split(".")
    for field in fields:
        if not field:
            return "IPv4 field must have at least one digit"
        if not field.isascii() or not field.isdigit():
            return "unexpected character"
        if len(field) > 1 and field.startswith("0"):
            return "IPv4 field has octet with leading zero"
        if len(field) > 3 or int(field) > 255:
            return "IPv4 field has value >255"
    return "IPv4 address too long" if len(fields) > 4 else "IPv4 address too short"


def _is_mapped(address: Address) -> bool:
    return isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None


def _ip(text: str) -> Ip:
    try:
        address = _parse_address(text)
    except ValueError as error:
        message = f"IP Address {quoted(text)} parse error during conversion from string: {error}"
        raise EvaluationError(message) from error
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id:
        raise EvaluationError(f"IP address {quoted(text)} with zone value is not allowed")
    if _is_mapped(address):
        raise EvaluationError(f"IPv4-mapped IPv6 address {quoted(text)} is not allowed")
    return Ip(address)


def _is_ip(text: str) -> bool:
    try:
        _ip(text)
    except EvaluationError:
        return False
    return True


def _parse_cidr(text: str) -> Cidr:
    """The block. Raises ValueError with Go's words."""
    head, slash, bits = text.rpartition("/")
    if not slash:
        raise ValueError(f"netip.ParsePrefix({quoted(text)}): no '/'")
    try:
        address = _parse_address(head)
    except ValueError as error:
        raise ValueError(f"netip.ParsePrefix({quoted(text)}): {error}") from error
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id:
        raise ValueError(f"netip.ParsePrefix({quoted(text)}): IPv6 zones cannot be present in a prefix")
    if not (bits.isascii() and bits.isdigit()) or (len(bits) > 1 and bits.startswith("0")):
        raise ValueError(f"netip.ParsePrefix({quoted(text)}): bad bits after slash: {quoted(bits)}")
    if len(bits) > 3 or int(bits) > address.max_prefixlen:
        raise ValueError(f"netip.ParsePrefix({quoted(text)}): prefix length out of range")
    return Cidr(address, int(bits))


def _cidr(text: str) -> Cidr:
    words = "network address parse error during conversion from string: "
    try:
        block = _parse_cidr(text)
    except ValueError as error:
        raise EvaluationError(f"{words}{words}{error}") from error
    if _is_mapped(block.address):
        raise EvaluationError(f"{words}IPv4-mapped IPv6 address {quoted(text)} is not allowed")
    return block


def _is_cidr(text: str) -> bool:
    try:
        _cidr(text)
    except EvaluationError:
        return False
    return True


def _contains_ip(block: Cidr, other: str | Ip) -> bool:
    address = (_ip(other) if isinstance(other, str) else other).address
    return address.version == block.address.version and _masked(address, block.bits) == block.masked().address


def _contains_cidr(block: Cidr, other: str | Cidr) -> bool:
    """As upstream does it: the other's own address, not masked, must be where the block begins."""
    inner = _cidr(other) if isinstance(other, str) else other
    return block.bits <= inner.bits and block.masked().address == inner.address


def _ip_of(value: str | Cidr) -> Ip:
    return Ip(value.address) if isinstance(value, Cidr) else _ip(value)


def _is_global_unicast(ip: Ip) -> bool:
    address = ip.address
    broadcast = address.version == 4 and int(address) == 2**32 - 1
    return not (
        broadcast or address.is_unspecified or address.is_loopback or address.is_multicast or address.is_link_local
    )


def _is_link_local_multicast(ip: Ip) -> bool:
    network = "224.0.0.0/24" if ip.address.version == 4 else None
    if network is not None:
        return ip.address in ipaddress.ip_network(network)
    return int(ip.address) >> 112 & 0xFF0F == 0xFF02


NETWORKS = library(
    """
    ip string_to_ip (string) IP
    ip cidr_ip CIDR.() IP
    family ip_family IP.() int
    ip.isCanonical ip_is_canonical (string) bool
    isUnspecified ip_is_unspecified IP.() bool
    isLoopback ip_is_loopback IP.() bool
    isLinkLocalMulticast ip_is_link_local_multicast IP.() bool
    isLinkLocalUnicast ip_is_link_local_unicast IP.() bool
    isGlobalUnicast ip_is_global_unicast IP.() bool
    isIP is_ip (string) bool
    cidr string_to_cidr (string) CIDR
    containsIP cidr_contains_ip_string CIDR.(string) bool
    containsIP cidr_contains_ip_ip CIDR.(IP) bool
    containsCIDR cidr_contains_cidr_string CIDR.(string) bool
    containsCIDR cidr_contains_cidr CIDR.(CIDR) bool
    prefixLength cidr_prefix_length CIDR.() int
    masked cidr_masked CIDR.() CIDR
    isCIDR is_cidr (string) bool
    """,
    {
        "ip": _ip_of,
        "family": lambda ip: ip.address.version,
        "ip.isCanonical": lambda text: str(_ip(text)) == text,
        "isUnspecified": lambda ip: ip.address.is_unspecified,
        "isLoopback": lambda ip: ip.address.is_loopback,
        "isLinkLocalMulticast": _is_link_local_multicast,
        "isLinkLocalUnicast": lambda ip: ip.address.is_link_local,
        "isGlobalUnicast": _is_global_unicast,
        "isIP": _is_ip,
        "cidr": _cidr,
        "containsIP": _contains_ip,
        "containsCIDR": _contains_cidr,
        "prefixLength": lambda block: block.bits,
        "masked": Cidr.masked,
        "isCIDR": _is_cidr,
    },
)
