"""What a write makes of the record it finds: the next event, or the reason there is none."""

from pilothouse.store.interface import Conflict, Event, KeyExists, Record, Revision


def creation(found: Record | None, key: str, value: bytes, revision: Revision, expires: float = 0.0) -> Event:
    """Write a new key at `revision`. Raises KeyExists."""
    if found is not None:
        raise KeyExists(f"{key} exists at revision {found.revision}")
    return Event(key, revision, Record(key, value, revision, revision, expires), None)


def replacement(
    found: Record | None, key: str, value: bytes, expected: Revision, revision: Revision, expires: float = 0.0
) -> Event:
    """Replace the record that is at `expected`. Raises Conflict."""
    if found is None or found.revision != expected:
        raise Conflict(found)
    return Event(key, revision, Record(key, value, revision, found.created, expires), found)


def removal(found: Record | None, key: str, expected: Revision, revision: Revision) -> Event:
    """Remove the record that is at `expected`. Raises Conflict."""
    if found is None or found.revision != expected:
        raise Conflict(found)
    return Event(key, revision, None, found)
