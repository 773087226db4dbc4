"""The certificate that answers a request."""

from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from controllers.certificates.asking import CLIENT, KEY, OTHER_NAMES, Subject, request, subject
from pilothouse.controllers.certificates.issuing import AuthorityEndedError, issue, signed_subject
from pilothouse.net.pki import DAY, YEAR, Authority

NOW = 1_800_000_000.0
HOUR = 3600.0
AUTHORITY = Authority.create("kubernetes", NOW)


def _issued(
    who: Subject | None = None,
    *names: str,
    usages: tuple[str, ...] = CLIENT,
    requested: float | None = None,
    authority: Authority = AUTHORITY,
    **more: Any,
) -> x509.Certificate:
    return x509.load_pem_x509_certificate(issue(authority, request(who, *names), usages, requested, NOW, **more))


def _extension(found: x509.Certificate, kind: type[x509.ExtensionType]) -> tuple[Any, bool]:
    extension = found.extensions.get_extension_for_class(kind)
    return extension.value, extension.critical


def test_it_is_for_the_key_that_asked_and_signed_by_the_authority() -> None:
    found = _issued()
    assert found.public_key() == KEY.public_key()
    found.verify_directly_issued_by(x509.load_pem_x509_certificate(AUTHORITY.certificate))
    assert _issued().serial_number != found.serial_number


@pytest.mark.parametrize(
    ("requested", "longest", "lasts"),
    [
        (None, YEAR, YEAR - 300),
        (None, 30 * DAY, 30 * DAY - 300),
        (600, YEAR, 600),
        (599, YEAR, 600),
        (8 * HOUR - 1, YEAR, 8 * HOUR - 1),
        (8 * HOUR, YEAR, 8 * HOUR - 300),
        (2 * YEAR, YEAR, YEAR - 300),
        (2 * HOUR, HOUR, HOUR),
    ],
)
def test_how_long_it_lasts(requested: float | None, longest: float, lasts: float) -> None:
    found = _issued(requested=requested, longest=longest)
    assert found.not_valid_before_utc.timestamp() == NOW - 300
    assert found.not_valid_after_utc.timestamp() == NOW + lasts


@pytest.mark.parametrize("requested", [None, 20 * HOUR, 3 * HOUR])
def test_it_never_outlives_its_authority(requested: float | None) -> None:
    found = _issued(requested=requested, authority=Authority.create("short", NOW, 2 * HOUR))
    assert found.not_valid_after_utc.timestamp() == NOW + 2 * HOUR


@pytest.mark.parametrize("lifetime", [0.0, -DAY])
def test_an_authority_that_has_ended_signs_nothing(lifetime: float) -> None:
    with pytest.raises(AuthorityEndedError):
        _issued(authority=Authority.create("ended", NOW - DAY, DAY + lifetime))


def test_it_signs_for_nobody_else() -> None:
    """What a request says of its own rights (ours ask to be an authority) does not count."""
    assert _extension(_issued(), x509.BasicConstraints) == (x509.BasicConstraints(ca=False, path_length=None), True)
    kinds = {type(each.value) for each in _issued(None, "dns").extensions}
    assert kinds == {
        x509.BasicConstraints, x509.KeyUsage, x509.ExtendedKeyUsage, x509.AuthorityKeyIdentifier,
        x509.SubjectAlternativeName,
    }  # fmt: skip


def test_other_names() -> None:
    names, critical = _extension(_issued(None, *OTHER_NAMES), x509.SubjectAlternativeName)
    assert [*names] == [OTHER_NAMES[name] for name in ("dns", "email", "ip", "uri")]
    assert not critical


def test_other_names_alone_must_be_understood() -> None:
    assert _extension(_issued((), "dns"), x509.SubjectAlternativeName)[1]


@pytest.mark.parametrize(
    ("wanted", "signed"),
    [
        pytest.param(subject("ann", ("b", "a")), [["a", "b"], ["ann"]], id="groups stand together"),
        pytest.param(subject("ann", ("a", "a")), [["a"], ["ann"]], id="each once"),
        pytest.param(((NameOID.COMMON_NAME, "ann"), (NameOID.COMMON_NAME, "ben")), [["ben"]], id="one user"),
        pytest.param((*subject("ann", ()), (NameOID.USER_ID, "7")), [["ann"]], id="nothing that nobody checks"),
        pytest.param((*subject("ann", ()), (NameOID.EMAIL_ADDRESS, "a@b")), [["ann"]], id="no mail address"),
        pytest.param(
            (
                (NameOID.SERIAL_NUMBER, "7"), (NameOID.COMMON_NAME, "ann"), (NameOID.POSTAL_CODE, "1"),
                (NameOID.STREET_ADDRESS, "street"), (NameOID.STATE_OR_PROVINCE_NAME, "state"),
                (NameOID.LOCALITY_NAME, "town"), (NameOID.ORGANIZATIONAL_UNIT_NAME, "unit"),
                (NameOID.ORGANIZATION_NAME, "group"), (NameOID.COUNTRY_NAME, "AT"),
            ),
            [["AT"], ["group"], ["unit"], ["town"], ["state"], ["street"], ["1"], ["ann"], ["7"]],
            id="in one order",
        ),
    ],
)  # fmt: skip
def test_what_of_the_subject_is_signed(wanted: Subject, signed: list[list[str]]) -> None:
    found = _issued(wanted).subject
    assert [sorted(str(each.value) for each in part) for part in found.rdns] == signed


def test_a_users_unchecked_uid_is_not_signed() -> None:
    uid = x509.ObjectIdentifier("1.3.6.1.4.1.57683.2")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ann"), x509.NameAttribute(uid, "forged")])
    assert [each.value for each in signed_subject(name)] == ["ann"]


BITS = {
    "signing": "digital_signature", "digital signature": "digital_signature",
    "content commitment": "content_commitment", "key encipherment": "key_encipherment",
    "data encipherment": "data_encipherment", "key agreement": "key_agreement", "cert sign": "key_cert_sign",
    "crl sign": "crl_sign",
}  # fmt: skip
EXTENDED = {
    "any": "2.5.29.37.0", "server auth": "1.3.6.1.5.5.7.3.1", "client auth": "1.3.6.1.5.5.7.3.2",
    "code signing": "1.3.6.1.5.5.7.3.3", "email protection": "1.3.6.1.5.5.7.3.4", "s/mime": "1.3.6.1.5.5.7.3.4",
    "ipsec end system": "1.3.6.1.5.5.7.3.5", "ipsec tunnel": "1.3.6.1.5.5.7.3.6", "ipsec user": "1.3.6.1.5.5.7.3.7",
    "timestamping": "1.3.6.1.5.5.7.3.8", "ocsp signing": "1.3.6.1.5.5.7.3.9",
    "microsoft sgc": "1.3.6.1.4.1.311.10.3.3", "netscape sgc": "2.16.840.1.113730.4.1",
}  # fmt: skip


@pytest.mark.parametrize(("usage", "bit"), BITS.items())
def test_each_usage_of_the_key(usage: str, bit: str) -> None:
    found = _issued(usages=(usage,))
    value, critical = _extension(found, x509.KeyUsage)
    assert critical
    assert {name for name in {*BITS.values()} if getattr(value, name)} == {bit}
    assert x509.ExtendedKeyUsage not in {type(each.value) for each in found.extensions}


@pytest.mark.parametrize(
    ("usages", "only"),
    [
        (("key agreement", "encipher only"), (True, False)),
        (("key agreement", "decipher only"), (False, True)),
        (("key agreement",), (False, False)),
    ],
)
def test_usages_of_a_key_agreement(usages: tuple[str, ...], only: tuple[bool, bool]) -> None:
    value, _ = _extension(_issued(usages=usages), x509.KeyUsage)
    assert (value.encipher_only, value.decipher_only) == only


def test_without_key_agreement_its_usages_mean_nothing() -> None:
    found = _issued(usages=("encipher only", "decipher only"))
    assert x509.KeyUsage not in {type(each.value) for each in found.extensions}


@pytest.mark.parametrize(("usage", "oid"), EXTENDED.items())
def test_each_purpose(usage: str, oid: str) -> None:
    found = _issued(usages=(usage,))
    value, critical = _extension(found, x509.ExtendedKeyUsage)
    assert ([each.dotted_string for each in value], critical) == ([oid], False)
    assert x509.KeyUsage not in {type(each.value) for each in found.extensions}


def test_purposes_stand_in_one_order_each_once() -> None:
    value, _ = _extension(_issued(usages=tuple(reversed(EXTENDED))), x509.ExtendedKeyUsage)
    assert [each.dotted_string for each in value] == [*dict.fromkeys(EXTENDED.values())]
