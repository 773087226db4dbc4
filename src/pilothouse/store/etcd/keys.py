"""Keys as etcd has them: below a root, as bytes, which sort as the strings do."""

from typing import Any

from pilothouse.store.interface import Record

Range = tuple[bytes, bytes]
"""The first key and the end, which is not part of it."""
EVERYTHING: Range = (b"\0", b"\0")
"""All keys that etcd has."""


class KeySpace:
    """The keys below `prefix`, such as `/registry`, and what stands beside them."""

    def __init__(self, prefix: str) -> None:
        clean = "/" + prefix.strip("/")
        self.root = f"{clean.rstrip('/')}/".encode()
        self._aside = f"{clean}.turns/".encode()

    def key(self, name: str) -> bytes:
        """The key of a name."""
        return self.root + name.encode()

    def aside(self, name: str) -> bytes:
        """A key for what is of this store and no record of it."""
        return self._aside + name.encode()

    def name(self, key: bytes) -> str:
        """The name of a key below the root."""
        return key[len(self.root) :].decode()

    def below(self, prefix: str, start: str = "") -> Range:
        """The range of names that begin with `prefix` and are not before `start`."""
        key = self.key(prefix)
        return max(key, self.key(start)), _end_of(key)

    def record(self, kv: Any) -> Record:
        """The record of a KeyValue."""
        return Record(kv.key[len(self.root) :].decode(), kv.value, kv.mod_revision, kv.create_revision)


def _end_of(prefix: bytes) -> bytes:
    """The least key after all that begin with `prefix`, which is not all 0xff."""
    kept = prefix.rstrip(b"\xff")
    return kept[:-1] + bytes([kept[-1] + 1])
