"""AES-GCM with a random nonce: 200,000 writes a key at most, says the Kubernetes documentation. NIST SP 800-38D."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pilothouse.apiserver.encryption.framework import CannotDecrypt, Cipher

_NONCE = 12


class AesGcm(Cipher):
    """Stored: nonce, ciphertext, tag. The place is authenticated."""

    name = "aesgcm"
    key_sizes = (16, 24, 32)

    def __init__(self, key: bytes) -> None:
        self._aead = AESGCM(key)

    def seal(self, value: bytes, place: bytes) -> bytes:
        """Encrypt under a fresh nonce."""
        nonce = os.urandom(_NONCE)
        return nonce + self._aead.encrypt(nonce, value, place)

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """Decrypt and authenticate."""
        if len(sealed) < _NONCE:
            raise CannotDecrypt("the stored data was shorter than the required size")
        try:
            return self._aead.decrypt(sealed[:_NONCE], sealed[_NONCE:], place)
        except InvalidTag:
            raise CannotDecrypt("cipher: message authentication failed") from None
