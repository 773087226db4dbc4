"""What whoever writes an address in an unusual way is told, where it is accepted.

Source of the words: apimachinery/pkg/util/validation/ip.go (GetWarningsForIP, GetWarningsForCIDR); RFC 5952.
"""

import ipaddress
from collections.abc import Iterator

from pilothouse.api.machinery.addresses import parse
from pilothouse.api.machinery.whole_numbers import int_or

_FUTURE = "will be considered invalid in a future Kubernetes release"


def warn_of_ip(text: str, path: str) -> Iterator[str]:
    """An address with leading zeros, mapped from IPv4, or not in the one canonical form."""
    address = parse(text)
    if address is None:
        return
    mapped = address.ipv4_mapped if address.version == 6 else None
    if mapped is not None or not _reads(text):
        yield f'{path}: non-standard IP address "{text}" {_FUTURE}: use "{mapped or address}"'
    elif address.version == 6 and str(address) != text:
        yield f'{path}: IPv6 address "{text}" should be in RFC 5952 canonical format ("{address}")'


def warn_of_cidr(text: str, path: str) -> Iterator[str]:
    """The same of a block, or that it has bits beyond its prefix."""
    head, _, length = text.partition("/")
    address = parse(head)
    if address is None or not (length.isascii() and length.isdigit()) or int_or(999, length) > address.max_prefixlen:
        return
    block = ipaddress.ip_network(f"{address}/{length}", strict=False)
    if block.network_address != address:
        one = f"{address}/{address.max_prefixlen}"
        yield f'{path}: CIDR value "{text}" is ambiguous in this context (should be "{block}" or "{one}"?)'
    mapped = address.version == 6 and address.ipv4_mapped is not None
    if mapped or not _reads(head) or (len(length) > 1 and length[0] == "0"):
        yield f'{path}: non-standard CIDR value "{text}" {_FUTURE}: use "{block}"'
    elif address.version == 6 and f"{address}/{length}" != text:
        yield f'{path}: IPv6 CIDR value "{text}" should be in RFC 5952 canonical format ("{block}")'


def _reads(text: str) -> bool:
    """Whether a strict reader takes the address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
