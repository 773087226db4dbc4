import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pilothouse.net.pki import DAY, YEAR, Authority, Usage, expiry, new_signing_key

NOW = 1_800_000_000.0


def test_a_client_certificate_names_user_and_groups() -> None:
    authority = Authority.create("kubernetes", NOW)
    pair = authority.issue("alice", ["devs", "ops"], usage=Usage.CLIENT, now=NOW)
    certificate = x509.load_pem_x509_certificate(pair.certificate)
    assert [item.value for item in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)] == ["alice"]
    groups = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    assert [item.value for item in groups] == ["devs", "ops"]
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.certificate))


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (Usage.SERVER, [ExtendedKeyUsageOID.SERVER_AUTH]),
        (Usage.CLIENT, [ExtendedKeyUsageOID.CLIENT_AUTH]),
        (Usage.BOTH, [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
    ],
)
def test_usage_is_in_the_certificate(usage: Usage, expected: list[x509.ObjectIdentifier]) -> None:
    pair = Authority.create("kubernetes", NOW).issue("x", usage=usage, now=NOW)
    found = x509.load_pem_x509_certificate(pair.certificate).extensions
    assert list(found.get_extension_for_class(x509.ExtendedKeyUsage).value) == expected
    assert found.get_extension_for_class(x509.BasicConstraints).value.ca is False


def test_a_server_certificate_names_its_hosts_and_addresses() -> None:
    pair = Authority.create("kubernetes", NOW).issue(
        "kube-apiserver", (), ["kubernetes.default.svc"], ["10.96.0.1", "::1"], usage=Usage.SERVER, now=NOW
    )
    names = x509.load_pem_x509_certificate(pair.certificate).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert names.value.get_values_for_type(x509.DNSName) == ["kubernetes.default.svc"]
    assert [str(item) for item in names.value.get_values_for_type(x509.IPAddress)] == ["10.96.0.1", "::1"]


def test_a_certificate_ends_in_time_and_never_after_its_authority() -> None:
    authority = Authority.create("kubernetes", NOW, 2 * DAY)
    assert expiry(authority.issue("x", usage=Usage.CLIENT, now=NOW, lifetime=DAY).certificate) == NOW + DAY
    assert expiry(authority.issue("x", usage=Usage.CLIENT, now=NOW, lifetime=YEAR).certificate) == NOW + 2 * DAY


def test_a_certificate_is_valid_for_clocks_that_lag_a_little() -> None:
    pair = Authority.create("kubernetes", NOW).issue("x", usage=Usage.CLIENT, now=NOW)
    assert x509.load_pem_x509_certificate(pair.certificate).not_valid_before_utc.timestamp() == NOW - 300


def test_a_certificate_for_somebody_elses_key_says_what_it_is_told() -> None:
    authority = Authority.create("kubernetes", NOW, 2 * DAY)
    key = ed25519.Ed25519PrivateKey.generate().public_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ann")])
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])
    made = authority.certify(name, key, [(usage, True)], begin=NOW - 7, end=NOW + 9 * DAY)
    found = x509.load_pem_x509_certificate(made)
    found.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.certificate))
    assert (found.subject, found.public_key()) == (name, key)
    assert (found.not_valid_before_utc.timestamp(), expiry(made)) == (NOW - 7, authority.end)
    extensions = {each.oid: each for each in found.extensions}
    assert (extensions[usage.oid].value, extensions[usage.oid].critical) == (usage, True)
    assert extensions.keys() == {usage.oid, x509.AuthorityKeyIdentifier.oid}


def test_an_authority_is_loaded_again() -> None:
    first = Authority.create("kubernetes", NOW)
    second = Authority.load(first.certificate, first.key)
    pair = second.issue("x", usage=Usage.CLIENT, now=NOW)
    issued = x509.load_pem_x509_certificate(pair.certificate)
    issued.verify_directly_issued_by(x509.load_pem_x509_certificate(first.certificate))


def test_a_key_of_another_authority_is_refused() -> None:
    one, other = Authority.create("one", NOW), Authority.create("other", NOW)
    with pytest.raises(ValueError, match="does not belong"):
        Authority.load(one.certificate, other.key)


def test_a_signing_key_signs_tokens() -> None:
    key = new_signing_key()
    token = jwt.encode({"sub": "x"}, key.private, algorithm="ES256")
    assert jwt.decode(token, key.public, algorithms=["ES256"]) == {"sub": "x"}
