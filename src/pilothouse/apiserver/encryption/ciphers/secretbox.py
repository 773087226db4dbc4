"""Secretbox: XSalsa20 and Poly1305, as NaCl combines them. Its nonce is long enough to be random for ever."""

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from pilothouse.apiserver.encryption.framework import CannotDecrypt, Cipher


class Secretbox(Cipher):
    """Stored: nonce of 24 bytes, tag, ciphertext."""

    name = "secretbox"
    key_sizes = (32,)

    def __init__(self, key: bytes) -> None:
        self._box = SecretBox(key)

    def seal(self, value: bytes, place: bytes) -> bytes:  # noqa: ARG002 - NaCl's box authenticates nothing beside
        """Encrypt under a fresh nonce."""
        return bytes(self._box.encrypt(value))

    def open(self, sealed: bytes, place: bytes) -> bytes:  # noqa: ARG002
        """Decrypt and authenticate."""
        if len(sealed) < SecretBox.NONCE_SIZE:
            raise CannotDecrypt("the stored data was shorter than the required size")
        try:
            return bytes(self._box.decrypt(sealed))
        except CryptoError:
            raise CannotDecrypt("invalid hash") from None
