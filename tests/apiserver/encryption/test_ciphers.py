"""Each cipher: what it wrote it reads, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.apiserver.encryption.ciphers.aescbc import AesCbc
from pilothouse.apiserver.encryption.ciphers.aesgcm import AesGcm
from pilothouse.apiserver.encryption.ciphers.secretbox import Secretbox
from pilothouse.apiserver.encryption.framework import CannotDecrypt, Cipher

KEY, OTHER, PLACE = b"0123456789abcdef" * 2, b"fedcba9876543210" * 2, b"core/secrets/default/a"
CIPHERS = [AesCbc(KEY), AesGcm(KEY), Secretbox(KEY)]
AUTHENTICATED = [AesGcm(KEY), Secretbox(KEY)]


def name(cipher: Cipher) -> str:
    return cipher.name


@pytest.mark.parametrize("cipher", CIPHERS, ids=name)
@given(value=st.binary(max_size=100))
def test_what_is_sealed_opens(cipher: Cipher, value: bytes) -> None:
    sealed = cipher.seal(value, PLACE)
    assert cipher.open(sealed, PLACE) == value
    assert len(value) < 4 or value not in sealed


@pytest.mark.parametrize("cipher", CIPHERS, ids=name)
def test_the_same_value_looks_different_each_time(cipher: Cipher) -> None:
    assert cipher.seal(b"value", PLACE) != cipher.seal(b"value", PLACE)


@pytest.mark.parametrize("cipher", AUTHENTICATED, ids=name)
@given(data=st.data())
def test_what_was_changed_does_not_open(cipher: Cipher, data: st.DataObject) -> None:
    sealed = bytearray(cipher.seal(b"some value", PLACE))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(CannotDecrypt):
        cipher.open(bytes(sealed), PLACE)


@pytest.mark.parametrize("cipher", AUTHENTICATED, ids=name)
def test_another_key_opens_nothing(cipher: Cipher) -> None:
    with pytest.raises(CannotDecrypt):
        type(cipher)(OTHER).open(cipher.seal(b"value", PLACE), PLACE)


@pytest.mark.parametrize("cipher", CIPHERS, ids=name)
@pytest.mark.parametrize("sealed", [b"", b"short", b"x" * 17, b"x" * 16, b"x" * 24, b"x" * 12])
def test_nonsense_does_not_open(cipher: Cipher, sealed: bytes) -> None:
    with pytest.raises(CannotDecrypt):
        cipher.open(sealed, PLACE)


def test_gcm_opens_only_where_it_was_stored() -> None:
    with pytest.raises(CannotDecrypt):
        AesGcm(KEY).open(AesGcm(KEY).seal(b"value", PLACE), b"core/secrets/default/b")
