"""Keys of every kind, and requests that a signer takes for theirs."""

from typing import NoReturn

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from pilothouse.api.certificates.pod_certificate_request.validation import validate_create
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.certificate_keys import new_key

NAMES = {"podName": "p", "serviceAccountName": "s", "nodeName": "n", "podUID": "1", "serviceAccountUID": "2",
         "nodeUID": "3"}  # fmt: skip


@pytest.mark.parametrize(("kind", "shown"), [
    ("RSA3072", 3072), ("ECDSAP256", "secp256r1"), ("ECDSAP384", "secp384r1"),
    ("ECDSAP521", "secp521r1"), ("ED25519", "Ed25519PrivateKey"),
])  # fmt: skip
def test_the_api_server_takes_requests_of_every_kind(kind: str, shown: object) -> None:
    made = new_key(kind)
    assert made.key.startswith(b"-----BEGIN PRIVATE KEY-----\n")
    key = load_pem_private_key(made.key, None)
    size, curve = getattr(key, "key_size", None), getattr(key, "curve", None)
    assert shown in (size, curve and curve.name, type(key).__name__.removeprefix("_"))
    spec: JsonObject = {**NAMES, "signerName": "example.com/a", "maxExpirationSeconds": 3600}
    errors = FieldErrors()
    validate_create({"spec": {**spec, "stubPKCS10Request": made.request}}, errors)
    assert list(map(str, errors)) == []


@pytest.mark.parametrize("size", [3072, 4096])
def test_rsa_keys_have_their_size(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stop(Exception):
        """A key of this size would take long."""

    def generate(exponent: int, size: int) -> NoReturn:
        raise Stop(exponent, size)

    monkeypatch.setattr(rsa, "generate_private_key", generate)
    with pytest.raises(Stop) as stopped:
        new_key(f"RSA{size}")
    assert stopped.value.args == (65537, size)


def test_every_key_is_another() -> None:
    assert new_key("ED25519").key != new_key("ED25519").key


def test_other_kinds_are_not_known() -> None:
    with pytest.raises(ValueError, match='unknown key type "DSA"'):
        new_key("DSA")
