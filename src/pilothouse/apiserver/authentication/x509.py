"""Client certificates: the common name is the user, the organizations are the groups.

TLS has verified the chain. The validity period is looked at for every request, because connections outlive
certificates. Source: "Authenticating: X509 client certificates" of the reference.
"""

import hashlib

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from pilothouse.api.machinery.errors import Unauthorized
from pilothouse.apiserver.authentication.framework import authenticated
from pilothouse.apiserver.user import User
from pilothouse.net.client_certificate import common_name, is_for_clients, organizations
from pilothouse.net.http import Request
from pilothouse.runtime.clock import Clock, Instant

_MOST_KNOWN = 1024
"""Certificates whose users are kept; beyond it all are read anew."""
_CREDENTIAL_ID = "authentication.kubernetes.io/credential-id"


class CertificateAuthenticator:
    """Tells users by their certificates."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[int, tuple[x509.Certificate, User, Instant, Instant]] = {}
        """By identity, for a certificate is one object as long as its connection lasts, and comparing two is dear."""

    async def authenticate(self, request: Request) -> User | None:
        """The certificate's subject. Raises Unauthorized outside its time, and for one that is not for clients."""
        certificate = request.peer.certificate
        if certificate is None:
            return None
        known = self._known.get(id(certificate))
        if known is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
            known = (certificate, _user(certificate), begin.timestamp(), end.timestamp())
            self._known[id(certificate)] = known
        _, user, begins, ends = known
        if not begins <= self._clock.now() <= ends:
            raise Unauthorized
        return user if user.name else None


def _user(certificate: x509.Certificate) -> User:
    if not is_for_clients(certificate):
        raise Unauthorized
    fingerprint = hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()
    credential = {_CREDENTIAL_ID: (f"X509SHA256={fingerprint}",)}
    return authenticated(User(common_name(certificate), organizations(certificate), "", credential))
