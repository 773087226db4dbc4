"""Keys of tokens: what we signed is ours, what was touched is not, and others can verify it from the key set."""

import base64

import jwt
import pytest

from pilothouse.apiserver.authentication.token_keys import InvalidToken, TokenKeys
from pilothouse.net.pki import new_signing_key

KEY = new_signing_key()
KEYS = TokenKeys(KEY, "https://issuer")


def test_what_we_signed_is_ours() -> None:
    token = KEYS.sign({"sub": "a"})
    assert KEYS.verify(token) == {"iss": "https://issuer", "sub": "a"}
    assert jwt.get_unverified_header(token) == {"alg": "ES256", "kid": KEYS.key_id}


@pytest.mark.parametrize("token", ["", "a", "a.b.c", TokenKeys(KEY, "https://else").sign({})])
def test_tokens_of_others_are_none_of_our_business(token: str) -> None:
    assert KEYS.verify(token) is None


def test_a_token_of_another_key_is_refused() -> None:
    with pytest.raises(InvalidToken, match="Signature verification failed"):
        KEYS.verify(TokenKeys(new_signing_key(), "https://issuer").sign({"sub": "a"}))


def test_a_touched_token_is_refused() -> None:
    head, _, signature = KEYS.sign({"sub": "a"}).split(".")
    body = base64.urlsafe_b64encode(b'{"iss":"https://issuer","sub":"b"}').rstrip(b"=").decode()
    with pytest.raises(InvalidToken):
        KEYS.verify(f"{head}.{body}.{signature}")


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_another_algorithm_is_refused(algorithm: str) -> None:
    key = None if algorithm == "none" else "x" * 32
    with pytest.raises(InvalidToken):
        KEYS.verify(jwt.encode({"iss": "https://issuer"}, key, algorithm))  # type: ignore[arg-type]


def test_others_verify_by_the_key_set() -> None:
    (key,) = jwt.PyJWKSet.from_dict(KEYS.key_set()).keys
    assert key.key_id == KEYS.key_id
    assert jwt.decode(KEYS.sign({"sub": "a"}), key.key, ["ES256"])["sub"] == "a"


def test_the_provider_says_where_the_key_set_is() -> None:
    assert KEYS.provider("192.0.2.1:6443")["jwks_uri"] == "https://192.0.2.1:6443/openid/v1/jwks"


def test_a_token_is_verified_once(monkeypatch: pytest.MonkeyPatch) -> None:
    token = KEYS.sign({"sub": "once"})
    KEYS.verify(token)
    monkeypatch.setattr(jwt, "decode", None)
    assert KEYS.verify(token) == {"iss": "https://issuer", "sub": "once"}
