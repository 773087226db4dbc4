"""The sub-commands that check who somebody is: tokens by their issuer, certificates by a trust bundle."""

import base64
import datetime as dt
import ipaddress
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from contract_images.agnhost.cluster_access import ClusterAccess
from contract_images.agnhost.commands import inclusterclient, mtlsclient, mtlsserver
from contract_images.agnhost.commands import test_service_account_issuer_discovery as discovery
from contract_images.agnhost.fetch import Answer
from contract_images.agnhost.signatures import BadToken, verify
from contract_images.agnhost.web import Reply, Request

CURVE, RSA = ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)
ISSUER = "https://kubernetes.default.svc"
CLAIMS = {"iss": ISSUER, "aud": ["aud"], "exp": 4_000_000_000}
PATH = "spiffe://cluster.local/ns/a/sa/b"
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
Public = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
Serve = Callable[..., str]


def _number(value: int) -> str:
    return base64.urlsafe_b64encode(value.to_bytes((value.bit_length() + 7) // 8, "big")).rstrip(b"=").decode()


def _public(key: Key, name: str) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    if isinstance(numbers, rsa.RSAPublicNumbers):
        return {"kty": "RSA", "kid": name, "n": _number(numbers.n), "e": _number(numbers.e)}
    return {"kty": "EC", "crv": "P-256", "kid": name, "x": _number(numbers.x), "y": _number(numbers.y)}


KEYS = [_public(CURVE, "curve"), _public(RSA, "rsa")]


@pytest.mark.parametrize(("algorithm", "key", "name"), [("ES256", CURVE, "curve"), ("RS256", RSA, "rsa")])
def test_a_signature_is_verified_with_the_key_that_it_names(algorithm: str, key: Key, name: str) -> None:
    token = jwt.encode({"a": 1}, key, algorithm, {"kid": name})
    verify(token, KEYS)
    verify(jwt.encode({"a": 1}, key, algorithm), KEYS)
    for changed in (token.replace(".", ".A", 1), token[:-5] + ("A" if token[-5] != "A" else "B") + token[-4:]):
        with pytest.raises(BadToken):
            verify(changed, KEYS)
    with pytest.raises(BadToken, match="failed to verify"):
        verify(jwt.encode({"a": 1}, key, algorithm, {"kid": "other"}), KEYS)


@pytest.mark.parametrize(
    ("token", "says"),
    [
        ("", "malformed"),
        ("a.b", "malformed"),
        (jwt.encode({}, "secret" * 8, "HS256"), "unsupported algorithm"),
        (jwt.encode({}, ec.generate_private_key(ec.SECP256R1()), "ES256"), "failed to verify"),
    ],
)
def test_other_tokens_are_refused(token: str, says: str) -> None:
    with pytest.raises(BadToken, match=says):
        verify(token, KEYS)


def _issuer(**document: str) -> Callable[[str], Answer]:
    pages = {
        f"{ISSUER}/.well-known/openid-configuration": {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys", **document},
        f"{ISSUER}/keys": {"keys": KEYS},
    }
    return lambda url: Answer(200 if url in pages else 404, {}, json.dumps(pages.get(url)).encode())


def test_a_token_is_verified_by_what_its_issuer_publishes(capsys: pytest.CaptureFixture[str]) -> None:
    discovery.validate(jwt.encode(CLAIMS, CURVE, "ES256"), "aud", _issuer())
    said = capsys.readouterr().err
    assert "OK: Constructed OIDC provider for issuer https://kubernetes.default.svc\n" in said
    assert "OK: Validated signature on JWT\n" in said


@pytest.mark.parametrize(
    ("claims", "document", "says"),
    [
        ({"aud": "other"}, {}, 'expected audience "aud" got other'),
        ({"exp": 1}, {}, "expired"),
        ({"iss": "https://elsewhere"}, {}, "404"),
        ({}, {"issuer": "https://elsewhere"}, "did not match the issuer URL"),
    ],
)
def test_a_token_that_does_not_hold_is_refused(claims: dict[str, object], document: dict[str, str], says: str) -> None:
    with pytest.raises(BadToken, match=says):
        discovery.validate(jwt.encode({**CLAIMS, **claims}, CURVE, "ES256"), "aud", _issuer(**document))


def test_without_a_token_there_is_nothing_to_verify(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert discovery.run([f"--token-path={tmp_path / 'none'}"]) == 1


class Authorities:
    """A root and what it signs: an intermediate, as upstream's signer has it, with keys and names like that one's."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._root, self._middle = ed25519.Ed25519PrivateKey.generate(), ed25519.Ed25519PrivateKey.generate()
        root = self._certificate(self._root, "root", self._root.public_key(), "root", ca=True)
        self._chain = self._certificate(self._root, "root", self._middle.public_key(), "middle", ca=True)
        self.bundle = place / "bundle.pem"
        self.bundle.write_bytes(root)

    def _certificate(
        self,
        signer: ed25519.Ed25519PrivateKey,
        by: str,
        public: Public,
        name: str,
        *,
        names: Sequence[x509.GeneralName] = (),
        ca: bool = False,
    ) -> bytes:
        now = dt.datetime.fromtimestamp(self._place.stat().st_mtime, dt.UTC)

        def called(text: str) -> x509.Name:
            return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

        builder = x509.CertificateBuilder(called(by), called(name), public, x509.random_serial_number())
        builder = builder.not_valid_before(now - dt.timedelta(hours=1))
        builder = builder.not_valid_after(now + dt.timedelta(hours=1))
        builder = builder.add_extension(x509.BasicConstraints(ca, None), critical=True)
        if not ca:
            usages = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
            builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(signer, None).public_bytes(serialization.Encoding.PEM)

    def credentials(self, name: str, *names: x509.GeneralName) -> Path:
        """A file with a key and its certificates."""
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = self._certificate(self._middle, "middle", key.public_key(), name, names=names)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file = self._place / f"{name}.pem"
        file.write_bytes(private + leaf + self._chain)
        return file


@pytest.fixture
def authorities(tmp_path: Path) -> Authorities:
    return Authorities(tmp_path)


def test_each_side_proves_who_it_is(authorities: Authorities, tmp_path: Path, served: Serve) -> None:
    server = authorities.credentials("server", x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    url = served({"/spiffe-echo": mtlsserver.echo}, mtlsserver.context(str(server), str(authorities.bundle)))
    client = authorities.credentials("client", x509.UniformResourceIdentifier(PATH))
    assert mtlsclient.poll(f"{url}/spiffe-echo", str(authorities.bundle), str(client)) == f"Client Identity: {PATH}"
    nameless = authorities.credentials("nameless", x509.DNSName("x"))
    with pytest.raises(OSError, match="non-2xx status 401"):
        mtlsclient.poll(f"{url}/spiffe-echo", str(authorities.bundle), str(nameless))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    stranger = Authorities(elsewhere)
    with pytest.raises(OSError, match="verify failed"):
        mtlsclient.poll(f"{url}/spiffe-echo", str(stranger.bundle), str(client))
    unknown = stranger.credentials("client", x509.UniformResourceIdentifier(PATH))
    with pytest.raises(OSError):
        mtlsclient.poll(f"{url}/spiffe-echo", str(authorities.bundle), str(unknown))


@pytest.mark.parametrize("command", [mtlsserver.run, mtlsclient.run])
def test_what_mutual_tls_needs_must_be_given(command: Callable[[list[str]], int]) -> None:
    assert command([]) == 1


def test_the_in_cluster_client_shows_a_hash_of_its_token_and_what_fails(
    authorities: Authorities,
    tmp_path: Path,
    served: Serve,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    server = authorities.credentials("server", x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    asked: list[str] = []

    def healthz(request: Request) -> Reply:
        asked.append(request.headers["authorization"])
        return Reply("ok" if len(asked) == 1 else "no", 200 if len(asked) == 1 else 403)

    url = served({"/healthz": healthz}, mtlsserver.context(str(server), str(authorities.bundle)))
    host, _, port = url.removeprefix("https://").partition(":")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", port)
    (tmp_path / "ca.crt").write_bytes(authorities.bundle.read_bytes())
    (tmp_path / "token").write_text("token")
    access = ClusterAccess(tmp_path)
    inclusterclient.poll(access)
    first = capsys.readouterr().err
    assert f"authz_header={inclusterclient.hashed('token')}\n" in first
    assert "status=failed" not in first
    inclusterclient.poll(access)
    assert asked == ["Bearer token"] * 2
    assert "error checking /healthz: no\n" in capsys.readouterr().err
