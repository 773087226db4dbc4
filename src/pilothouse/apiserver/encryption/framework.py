"""What a cipher offers, and how stored values say which one wrote them.

A value begins with `k8s:enc:`, the provider, its version and the key's name, as upstream's do; a value without is
plain. The first key of the first provider writes, all of them read: so keys and providers are changed without a moment
in which something cannot be read. Source: the Kubernetes documentation, "Encrypting Confidential Data at Rest".
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

ENCRYPTED = b"k8s:enc:"
ANY = "*"
"""Any group, or any resource of a group."""
OWN = "kube/"
"""Below it is what servers keep for themselves: no resource of the API, so that `*.*` does not mean it."""


class CannotDecrypt(Exception):
    """None of the keys opens a value, or it was changed."""


class Cipher(ABC):
    """Encrypts with one key. `place` is where the value is stored: put elsewhere, it must not open."""

    name: ClassVar[str]
    """The provider's name in the configuration and in stored values."""
    key_sizes: ClassVar[tuple[int, ...]]
    """Bytes that a key may have."""

    @abstractmethod
    def __init__(self, key: bytes) -> None: ...

    @abstractmethod
    def seal(self, value: bytes, place: bytes) -> bytes:
        """Encrypt."""

    @abstractmethod
    def open(self, sealed: bytes, place: bytes) -> bytes:
        """Decrypt. Raises CannotDecrypt."""


@dataclass(frozen=True, slots=True)
class Coat:
    """One way to write a value: a cipher and the prefix that tells of it. None leaves the value plain."""

    prefix: bytes
    cipher: Cipher | None

    def put_on(self, value: bytes, place: bytes) -> bytes:
        """The value as it is stored."""
        return value if self.cipher is None else self.prefix + self.cipher.seal(value, place)

    def take_off(self, stored: bytes, place: bytes) -> bytes:
        """The value of what is stored. Raises CannotDecrypt."""
        if self.cipher is None:
            if stored.startswith(ENCRYPTED):
                raise CannotDecrypt("identity transformer tried to read encrypted data")
            return stored
        return self.cipher.open(stored[len(self.prefix) :], place)


@dataclass(frozen=True, slots=True)
class Wardrobe:
    """The coats of one resource, the one to write with first."""

    coats: Sequence[Coat]

    def put_on(self, value: bytes, place: bytes) -> bytes:
        """The value as it is stored."""
        return self.coats[0].put_on(value, place)

    def take_off(self, stored: bytes, place: bytes) -> tuple[bytes, bool]:
        """The value of what is stored, and whether it should be stored anew. Raises CannotDecrypt."""
        error = CannotDecrypt("no matching prefix found")
        for number, coat in enumerate(self.coats):
            if stored.startswith(coat.prefix):
                try:
                    return coat.take_off(stored, place), number > 0
                except CannotDecrypt as failed:  # two keys may have one name, and the identity reads nothing encrypted
                    error = failed
        raise error


class Encryption:
    """The wardrobe of each resource that the configuration names."""

    def __init__(self, wardrobes: Mapping[tuple[str, str], Wardrobe]) -> None:
        """By group and plural, either of which may be `*`."""
        self._wardrobes = dict(wardrobes)

    def of(self, group: str, plural: str) -> Wardrobe | None:
        """What a resource is stored with; None when it is stored plain, as all are that nothing is said of."""
        for named in ((group, plural), (group, ANY), (ANY, ANY)):
            if named in self._wardrobes:
                return self._wardrobes[named]
        return None
