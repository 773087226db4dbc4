"""Client certificates: subject and groups, in their time, and only certificates that are for clients."""

import asyncio

import pytest
from cryptography import x509

from pilothouse.api.machinery.errors import Unauthorized
from pilothouse.apiserver.authentication.x509 import CertificateAuthenticator
from pilothouse.apiserver.user import User
from pilothouse.net.http import Peer, Request
from pilothouse.net.pki import Authority, Usage
from pilothouse.runtime.clock import SystemClock

CLOCK = SystemClock()
AUTHORITY = Authority.create("test", CLOCK.now())


def who(name: str, usage: Usage = Usage.CLIENT, lifetime: float = 60.0, ago: float = 0.0) -> User | None:
    pair = AUTHORITY.issue(name, ["team"], usage=usage, now=CLOCK.now() - ago, lifetime=lifetime)
    certificate = x509.load_pem_x509_certificate(pair.certificate)
    request = Request("GET", "/", {}, Peer("127.0.0.1:1", certificate))
    return asyncio.run(CertificateAuthenticator(CLOCK).authenticate(request))


@pytest.mark.parametrize("usage", [Usage.CLIENT, Usage.BOTH])
def test_the_subject_is_the_user(usage: Usage) -> None:
    user = who("ann", usage)
    assert user is not None
    assert (user.name, user.groups) == ("ann", ("team", "system:authenticated"))
    (credential,) = user.extra["authentication.kubernetes.io/credential-id"]
    assert credential.startswith("X509SHA256=")


def test_the_certificate_of_a_server_makes_nobody_its_subject() -> None:
    with pytest.raises(Unauthorized):
        who("kube-apiserver", Usage.SERVER)


def test_an_old_certificate_is_refused() -> None:
    with pytest.raises(Unauthorized):
        who("ann", lifetime=60.0, ago=600.0)


def test_no_certificate_is_no_opinion() -> None:
    request = Request("GET", "/", {}, Peer("127.0.0.1:1"))
    assert asyncio.run(CertificateAuthenticator(CLOCK).authenticate(request)) is None
