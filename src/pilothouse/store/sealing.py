"""Sealing: a value on the disk ends in the time it goes at, and a checksum over the record it belongs to.

SQLite guards its structure, not what is in it: what a disk has changed is found by this, and is not served. Layout 2 of
the file had no times.
"""

import struct
import zlib

from pilothouse.store.interface import Record, Revision

_TIME, _SUM = 8, 4
"""How many bytes of a stored value are the time and the checksum."""
_TAIL = _TIME + _SUM
_DOUBLE = struct.Struct(">d")


def seal(record: Record) -> bytes:
    """What is stored of a record's value."""
    return record.value + _DOUBLE.pack(record.expires) + _checksum(record)


def unseal(key: str, sealed: bytes, revision: Revision, created: Revision) -> Record:
    """The record of what was stored. Raises ValueError when that is not what was written."""
    (expires,) = _DOUBLE.unpack(sealed[-_TAIL:-_SUM]) if len(sealed) >= _TAIL else (0.0,)
    record = Record(key, sealed[:-_TAIL], revision, created, expires)
    if _checksum(record) != sealed[-_SUM:]:
        raise ValueError(f"{key} at revision {revision} is not what was written")
    return record


def seal_untimed(key: str, sealed: bytes, revision: Revision, created: Revision) -> bytes:
    """A sealed value of layout 2 as it is in ours. Raises ValueError as `unseal` does."""
    record = Record(key, sealed[:-_SUM], revision, created)
    if _checksum(record) != sealed[-_SUM:]:
        raise ValueError(f"{key} at revision {revision} is not what was written")
    return seal(record)


def _checksum(record: Record) -> bytes:
    name = f"{record.revision} {record.created} {record.key}".encode()
    found = zlib.crc32(record.value, zlib.crc32(name))
    if record.expires:
        found = zlib.crc32(_DOUBLE.pack(record.expires), found)
    return found.to_bytes(_SUM, "big")
