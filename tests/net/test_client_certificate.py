"""The subject of a client certificate, and whether it is one."""

import pytest
from cryptography import x509

from pilothouse.net.client_certificate import common_name, is_for_clients, organizations
from pilothouse.net.pki import Authority, Usage
from pilothouse.runtime.clock import SystemClock

NOW = SystemClock().now()
AUTHORITY = Authority.create("test", NOW)


def certificate(name: str, *groups: str, usage: Usage = Usage.CLIENT) -> x509.Certificate:
    return x509.load_pem_x509_certificate(AUTHORITY.issue(name, groups, usage=usage, now=NOW).certificate)


def test_common_name_and_organizations() -> None:
    shown = certificate("ann", "team", "admins")
    assert (common_name(shown), organizations(shown)) == ("ann", ("team", "admins"))
    assert organizations(certificate("bob")) == ()


@pytest.mark.parametrize(("usage", "allowed"), [(Usage.CLIENT, True), (Usage.BOTH, True), (Usage.SERVER, False)])
def test_a_servers_certificate_is_not_for_clients(usage: Usage, allowed: bool) -> None:
    assert is_for_clients(certificate("ann", usage=usage)) is allowed


def test_without_a_stated_usage_every_use_is_allowed() -> None:
    assert is_for_clients(x509.load_pem_x509_certificate(AUTHORITY.certificate))
