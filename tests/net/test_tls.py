import ssl

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from pilothouse.net.pki import DAY, Authority, KeyPair, Usage
from pilothouse.net.tls import ServerTls, client_context
from pilothouse.runtime.clock import SystemClock

NOW = SystemClock().now()
AUTHORITY = Authority.create("kubernetes", NOW)


def _pair(name: str = "server", usage: Usage = Usage.SERVER, now: float = NOW, lifetime: float = DAY) -> KeyPair:
    return AUTHORITY.issue(name, (), [name], usage=usage, now=now, lifetime=lifetime)


def _handshake(
    server: ssl.SSLContext, client: ssl.SSLContext, name: str = "server"
) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    """Both ends, joined in memory, after a handshake in which each end read what the other wrote."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    waiting = list(ends)
    for _ in range(10):
        for end in list(waiting):
            try:
                end.do_handshake()
                waiting.remove(end)
            except ssl.SSLWantReadError:
                pass
    assert not waiting
    return ends[1], ends[0]


def _shown(end: ssl.SSLObject) -> str:
    encoded = end.getpeercert(binary_form=True)
    assert encoded is not None
    subject = x509.load_der_x509_certificate(encoded).subject
    return str(subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def test_both_ends_know_each_other() -> None:
    tls = ServerTls(_pair(), AUTHORITY.certificate)
    server, client = _handshake(tls.context, client_context(AUTHORITY.certificate, _pair("alice", Usage.CLIENT)))
    assert (_shown(server), _shown(client)) == ("alice", "server")
    assert client.selected_alpn_protocol() == "http/1.1"


def test_a_client_without_a_certificate_is_let_in_unnamed() -> None:
    tls = ServerTls(_pair(), AUTHORITY.certificate)
    server, _ = _handshake(tls.context, client_context(AUTHORITY.certificate))
    assert server.getpeercert(binary_form=True) is None


@pytest.mark.parametrize(
    "shown",
    [
        Authority.create("somebody else", NOW).issue("alice", usage=Usage.CLIENT, now=NOW),
        _pair("alice", Usage.SERVER),
        _pair("alice", Usage.CLIENT, NOW - 2 * DAY, DAY),
    ],
    ids=["another authority's", "a server's", "expired"],
)
def test_a_client_with_a_wrong_certificate_is_refused(shown: KeyPair) -> None:
    tls = ServerTls(_pair(), AUTHORITY.certificate)
    with pytest.raises(ssl.SSLError, match="verify failed"):
        _handshake(tls.context, client_context(AUTHORITY.certificate, shown))


def test_a_server_of_another_authority_or_name_is_refused() -> None:
    tls = ServerTls(_pair())
    with pytest.raises(ssl.SSLCertVerificationError):
        _handshake(tls.context, client_context(Authority.create("other", NOW).certificate))
    with pytest.raises(ssl.SSLCertVerificationError):
        _handshake(tls.context, client_context(AUTHORITY.certificate), "elsewhere")
    _handshake(tls.context, client_context(b"", verify=False), "elsewhere")


def test_tls_before_1_2_is_refused() -> None:
    assert ServerTls(_pair()).context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert client_context(AUTHORITY.certificate).minimum_version == ssl.TLSVersion.TLSv1_2


def test_a_renewed_pair_is_shown_to_those_who_come_next() -> None:
    tls = ServerTls(_pair("server"))
    tls.renew(AUTHORITY.issue("renewed", (), ["server"], usage=Usage.SERVER, now=NOW))
    _, client = _handshake(tls.context, client_context(AUTHORITY.certificate))
    assert _shown(client) == "renewed"


def test_a_key_that_does_not_belong_is_refused() -> None:
    with pytest.raises(ssl.SSLError):
        ServerTls(KeyPair(_pair().certificate, _pair().key))


def test_another_authority_is_trusted_from_the_next_handshake_on() -> None:
    other = Authority.create("other", NOW)
    alice, bob = _pair("alice", Usage.CLIENT), other.issue("bob", usage=Usage.CLIENT, now=NOW)
    tls = ServerTls(_pair(), AUTHORITY.certificate)
    with pytest.raises(ssl.SSLError):
        _handshake(tls.context, client_context(AUTHORITY.certificate, bob))
    tls.trust(other.certificate)
    server, client = _handshake(tls.context, client_context(AUTHORITY.certificate, bob))
    assert (_shown(server), _shown(client)) == ("bob", "server")
    assert client.selected_alpn_protocol() == "http/1.1"
    with pytest.raises(ssl.SSLError):
        _handshake(tls.context, client_context(AUTHORITY.certificate, alice))
    tls.trust(AUTHORITY.certificate + other.certificate)
    tls.renew(_pair("renewed"))
    for pair, name in ((alice, "alice"), (bob, "bob")):
        server, client = _handshake(tls.context, client_context(AUTHORITY.certificate, pair), "renewed")
        assert (_shown(server), _shown(client)) == (name, "renewed")


def test_a_client_that_names_no_server_is_handed_on_too() -> None:
    other = Authority.create("other", NOW)
    tls = ServerTls(
        AUTHORITY.issue("server", addresses=("127.0.0.1",), usage=Usage.SERVER, now=NOW), AUTHORITY.certificate
    )
    tls.trust(other.certificate)
    bob = other.issue("bob", usage=Usage.CLIENT, now=NOW)
    server, _ = _handshake(tls.context, client_context(AUTHORITY.certificate, bob), "127.0.0.1")
    assert _shown(server) == "bob"


def test_what_is_no_certificate_changes_nothing() -> None:
    tls = ServerTls(_pair(), AUTHORITY.certificate)
    with pytest.raises(ssl.SSLError):
        tls.renew(KeyPair(_pair("a").certificate, _pair("b").key))
    with pytest.raises(ssl.SSLError):
        tls.trust(b"no PEM")
    server, client = _handshake(tls.context, client_context(AUTHORITY.certificate, _pair("alice", Usage.CLIENT)))
    assert (_shown(server), _shown(client)) == ("alice", "server")
