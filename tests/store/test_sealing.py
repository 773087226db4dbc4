"""What a disk has changed is found; how a store of it refuses to start is in test_database.py and test_sqlite.py."""

from dataclasses import replace

import pytest

from pilothouse.store.interface import Record
from pilothouse.store.sealing import seal, seal_untimed, unseal

RECORD = Record("/a", b"value", 7, 3)


@pytest.mark.parametrize("record", [RECORD, Record("/a", b"", 3, 3), Record("/é", b"value", 7, 3, 1_800_000_000.25)])
def test_what_was_sealed_comes_back(record: Record) -> None:
    found = unseal(record.key, seal(record), record.revision, record.created)
    assert (found, found.expires) == (record, record.expires)


def test_whatever_is_changed_is_found() -> None:
    record = replace(RECORD, expires=5.0)
    sealed = seal(record)
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(ValueError, match="/a at revision 7 is not what was written"):
            unseal("/a", bytes(changed), 7, 3)
    for key, revision, created in (("/b", 7, 3), ("/a", 8, 3), ("/a", 7, 4)):
        with pytest.raises(ValueError, match="is not what was written"):
            unseal(key, sealed, revision, created)
    for length in range(len(sealed)):
        with pytest.raises(ValueError, match="is not what was written"):
            unseal("/a", sealed[:length], 7, 3)


def test_a_value_of_layout_2_is_given_no_time() -> None:
    sealed = seal(RECORD)
    untimed = sealed[: len(RECORD.value)] + sealed[-4:]
    assert seal_untimed("/a", untimed, 7, 3) == sealed
    with pytest.raises(ValueError, match="is not what was written"):
        seal_untimed("/a", untimed, 8, 3)
