"""Checks a token's signature (RFC 7515) with a key of a key set (RFC 7517): ES256 and RS256, in whole numbers.

The standard library has no signatures; those of tokens are arithmetic that takes a hundredth of a second.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

_P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
_A = _P - 3
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_BASE = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
"""NIST P-256 (FIPS 186-4, D.1.2.3)."""
_SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")
"""What PKCS #1 puts in front of a SHA-256 digest (RFC 8017, 9.2)."""

_Point = tuple[int, int] | None
"""A point of the curve; None is the one at infinity."""


class BadToken(Exception):
    """The token is malformed, or signed by nobody of the key set."""


def decoded(part: str) -> bytes:
    """The bytes of base64 as the web writes it."""
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def claims(token: str) -> dict[str, Any]:
    """What a token claims, unchecked. Raises BadToken."""
    try:
        found: dict[str, Any] = json.loads(decoded(token.split(".")[1]))
    except (ValueError, IndexError) as error:
        raise BadToken(f"malformed token: {error}") from error
    return found


def verify(token: str, keys: Sequence[Mapping[str, str]]) -> None:
    """Raise BadToken unless one of `keys` has signed it."""
    try:
        head, body, signature = token.strip().split(".")
        header = json.loads(decoded(head))
        signed, proof = f"{head}.{body}".encode(), decoded(signature)
    except ValueError as error:
        raise BadToken(f"malformed token: {error}") from error
    checks = {"ES256": ("EC", _by_curve), "RS256": ("RSA", _by_rsa)}
    kind, check = checks.get(header.get("alg"), ("", None))
    if check is None:
        raise BadToken(f"oidc: id token signed with unsupported algorithm, got {header.get('alg')!r}")
    fitting = [key for key in keys if key["kty"] == kind and header.get("kid") in (None, key.get("kid"))]
    if not any(check(key, signed, proof) for key in fitting):
        raise BadToken("failed to verify signature: failed to verify id token signature")


def _number(key: Mapping[str, str], name: str) -> int:
    return int.from_bytes(decoded(key[name]), "big")


def _by_rsa(key: Mapping[str, str], signed: bytes, proof: bytes) -> bool:
    modulus = _number(key, "n")
    size = (modulus.bit_length() + 7) // 8
    tail = b"\x00" + _SHA256_PREFIX + hashlib.sha256(signed).digest()
    wanted = b"\x00\x01" + b"\xff" * (size - 2 - len(tail)) + tail
    return pow(int.from_bytes(proof, "big"), _number(key, "e"), modulus).to_bytes(size, "big") == wanted


def _by_curve(key: Mapping[str, str], signed: bytes, proof: bytes) -> bool:
    r, s = int.from_bytes(proof[:32], "big"), int.from_bytes(proof[32:], "big")
    if not (0 < r < _ORDER and 0 < s < _ORDER):
        return False
    digest = int.from_bytes(hashlib.sha256(signed).digest(), "big")
    inverse = pow(s, -1, _ORDER)
    public = _number(key, "x"), _number(key, "y")
    point = _sum(_times(digest * inverse % _ORDER, _BASE), _times(r * inverse % _ORDER, public))
    return point is not None and point[0] % _ORDER == r


def _sum(one: _Point, other: _Point) -> _Point:
    if one is None or other is None:
        return other if one is None else one
    if one[0] == other[0] and (one[1] + other[1]) % _P == 0:
        return None
    if one == other:
        slope = (3 * one[0] * one[0] + _A) * pow(2 * one[1], -1, _P) % _P
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, _P) % _P
    x = (slope * slope - one[0] - other[0]) % _P
    return x, (slope * (one[0] - x) - one[1]) % _P


def _times(factor: int, point: _Point) -> _Point:
    total: _Point = None
    while factor:
        if factor & 1:
            total = _sum(total, point)
        point = _sum(point, point)
        factor >>= 1
    return total
