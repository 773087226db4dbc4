"""AES-CBC with PKCS#7 padding (RFC 5652, 6.3). Nothing is authenticated, so it is weaker than the others."""

import os

from cryptography.hazmat.primitives.ciphers import Cipher as BlockCipher
from cryptography.hazmat.primitives.ciphers import algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from pilothouse.apiserver.encryption.framework import CannotDecrypt, Cipher

_BLOCK = 16
_PADDING = PKCS7(_BLOCK * 8)


class AesCbc(Cipher):
    """Stored: initialization vector, ciphertext."""

    name = "aescbc"
    key_sizes = (16, 24, 32)

    def __init__(self, key: bytes) -> None:
        self._algorithm = algorithms.AES(key)

    def seal(self, value: bytes, place: bytes) -> bytes:  # noqa: ARG002 - this mode has nowhere to put the place
        """Encrypt from a fresh vector."""
        vector = os.urandom(_BLOCK)
        padder, encryptor = _PADDING.padder(), BlockCipher(self._algorithm, modes.CBC(vector)).encryptor()
        padded = padder.update(value) + padder.finalize()
        return vector + encryptor.update(padded) + encryptor.finalize()

    def open(self, sealed: bytes, place: bytes) -> bytes:  # noqa: ARG002
        """Decrypt; what was changed may come out as something else."""
        if len(sealed) < _BLOCK:
            raise CannotDecrypt("the stored data was shorter than the required size")
        if len(sealed) % _BLOCK:
            raise CannotDecrypt("the stored data is not a multiple of the block size")
        decryptor = BlockCipher(self._algorithm, modes.CBC(sealed[:_BLOCK])).decryptor()
        padded = decryptor.update(sealed[_BLOCK:]) + decryptor.finalize()
        unpadder = _PADDING.unpadder()
        try:
            return unpadder.update(padded) + unpadder.finalize()
        except ValueError:
            raise CannotDecrypt("invalid padding on input") from None
