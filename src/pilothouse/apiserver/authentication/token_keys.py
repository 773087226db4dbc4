"""Keys of service-account tokens: signing, verifying, and the public half as others fetch it.

Tokens are JWTs signed with ES256 (RFC 7519, RFC 7518). What was verified once is remembered by the whole token, so that
a request costs no signature. Source: pkg/serviceaccount/jwt.go, openidmetadata.go.
"""

import base64
import hashlib
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pilothouse.api.machinery.view import JsonObject
from pilothouse.net.pki import SigningKey
from pilothouse.runtime.bounded_memo import BoundedMemo

ALGORITHM = "ES256"
_MOST_KNOWN = 4096
"""Verified tokens that are kept; beyond it all are verified anew."""
_COORDINATE_BYTES = 32


class InvalidToken(Exception):
    """The token says nothing that counts; the text says why, for logs and reviews."""


class TokenKeys:
    """One signing key and its issuer."""

    def __init__(self, key: SigningKey, issuer: str) -> None:
        self.issuer = issuer
        private = serialization.load_pem_private_key(key.private, None)
        public = serialization.load_pem_public_key(key.public)
        if not isinstance(private, ec.EllipticCurvePrivateKey) or not isinstance(public, ec.EllipticCurvePublicKey):
            raise ValueError("service-account tokens are signed with an elliptic-curve key")
        self._private, self._public = private, public
        self.key_id = _key_id(public)
        self._verified: BoundedMemo[str, JsonObject] = BoundedMemo(_MOST_KNOWN)

    def sign(self, claims: JsonObject) -> str:
        """A token of these claims, issued by us."""
        headers = {"kid": self.key_id, "typ": None}
        return jwt.encode({"iss": self.issuer, **claims}, self._private, ALGORITHM, headers)

    def verify(self, token: str) -> JsonObject | None:
        """The claims of a token of ours, whatever their time; None for another issuer's.

        Raises InvalidToken when the signature is not ours.
        """
        known = self._verified.get(token)
        if known is not None:
            return known
        if _issuer(token) != self.issuer:
            return None
        unchecked = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False}
        try:
            claims: JsonObject = jwt.decode(token, self._public, [ALGORITHM], options=unchecked)  # type: ignore[arg-type]
        except jwt.InvalidTokenError as error:
            raise InvalidToken(str(error)) from error
        return self._verified.keep(token, claims)

    def key_set(self) -> JsonObject:
        """The JSON Web Key Set (RFC 7517) of the public key."""
        numbers = self._public.public_numbers()
        key = {
            "use": "sig",
            "kty": "EC",
            "kid": self.key_id,
            "crv": "P-256",
            "alg": ALGORITHM,
            "x": _encoded(numbers.x.to_bytes(_COORDINATE_BYTES, "big")),
            "y": _encoded(numbers.y.to_bytes(_COORDINATE_BYTES, "big")),
        }
        return {"keys": [key]}

    def provider(self, address: str) -> JsonObject:
        """The OpenID provider configuration; `address` is where the key set is fetched."""
        return {
            "issuer": self.issuer,
            "jwks_uri": f"https://{address}/openid/v1/jwks",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
        }


def _issuer(token: str) -> str:
    """Whose token it says it is; empty for what is no token."""
    try:
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return ""
    return str(claims.get("iss") or "")


def _key_id(public: ec.EllipticCurvePublicKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return _encoded(hashlib.sha256(public.public_bytes(serialization.Encoding.DER, form)).digest())


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
