"""Tracker: the slices that we wrote for each owner, so that we notice when our copy does not show them yet.

A plan made from an old copy would create slices twice. So each write is remembered by the uid of the slice and the
resourceVersion it led to (KEP-5504: versions compare as numbers), until the copy has come as far.
Upstream: staging/src/k8s.io/endpointslice/util/endpointslice_tracker.go.
"""

from collections.abc import Iterable

from pilothouse.api.types.discovery_v1 import EndpointSlice
from pilothouse.client.key import Key

_DELETED = -1


class SliceTracker:
    """What was written, owner by owner."""

    def __init__(self) -> None:
        self._written: dict[Key, dict[str, int]] = {}
        self._owners: dict[Key, str] = {}

    def wrote(self, owner: Key, piece: EndpointSlice) -> None:
        """A slice was created or updated; `piece` is the answer."""
        self._written.setdefault(owner, {})[piece.metadata.uid] = _version(piece)

    def deleted(self, owner: Key, piece: EndpointSlice) -> None:
        """A slice was deleted, and will go."""
        self._written.setdefault(owner, {})[piece.metadata.uid] = _DELETED

    def gone(self, owner: Key, piece: EndpointSlice) -> bool:
        """A slice is no longer there, or no longer ours. Says whether that was our doing."""
        return self._written.get(owner, {}).pop(piece.metadata.uid, None) == _DELETED

    def is_news(self, owner: Key, piece: EndpointSlice) -> bool:
        """Whether a slice is not as we wrote it, but as somebody else did since."""
        written = self._written.get(owner, {}).get(piece.metadata.uid)
        return written is None or _version(piece) > written

    def is_stale(self, owner: Key, uid: str, pieces: Iterable[EndpointSlice]) -> bool:
        """Whether these slices are older than our writes. An owner with another uid begins anew."""
        if self._owners.get(owner, uid) != uid:
            self._written.pop(owner, None)
        self._owners[owner] = uid
        missing = dict(self._written.get(owner, {}))
        for piece in pieces:
            written = missing.pop(piece.metadata.uid, None)
            if written is not None and (written == _DELETED or written > _version(piece)):
                return True
        return any(written != _DELETED for written in missing.values())

    def forget(self, owner: Key) -> None:
        """The owner is gone."""
        self._written.pop(owner, None)
        self._owners.pop(owner, None)


def _version(piece: EndpointSlice) -> int:
    return int(piece.metadata.resourceVersion or 0)
