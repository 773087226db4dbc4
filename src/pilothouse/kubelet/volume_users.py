"""Which pods of the node use which persistent volume, so that the last one is known, and one that wants it alone.

The truth lies on the disk, in the records of the pods' volumes; it is read once, when it is first asked for.
"""

import asyncio
from collections.abc import MutableMapping
from dataclasses import dataclass
from weakref import WeakValueDictionary

from pilothouse.kubelet.layout import Layout
from pilothouse.kubelet.volume_record import VolumeRecord, VolumeRecords

KEY, MOUNTED, ATTACHABLE = "key", "mounted", "attachable"
"""What a record's details say: the volume's name among all of the cluster; whether it was mounted for its pod, and
whether somebody has to attach it to the node."""
_User = tuple[str, str]
"""A pod by its uid, and the volume's name in it."""


@dataclass(slots=True)
class _Use:
    mounted: bool
    attachable: bool


class VolumeUsers:
    """Of one node."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._known: dict[str, dict[_User, _Use]] | None = None
        self._settled: set[_User] = set()
        self._unattached: set[_User] = set()
        self.changed = asyncio.Event()
        """Set when what must stay attached may be another."""
        self._locks: MutableMapping[str, asyncio.Lock] = WeakValueDictionary()

    @property
    def _volumes(self) -> dict[str, dict[_User, _Use]]:
        if self._known is None:
            self._known = {}
            records = VolumeRecords(self._layout)
            pods = self._layout.pods.iterdir() if self._layout.pods.is_dir() else ()
            for pod in sorted(pods):
                for record in records.of_pod(pod.name):
                    self.note(record)
        return self._known

    def lock(self, key: str) -> asyncio.Lock:
        """Held by whoever mounts or unmounts the volume."""
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        return lock

    def note(self, record: VolumeRecord) -> None:
        """Know what a record says."""
        details = record.details
        if key := details.get(KEY):
            use = _Use(bool(details.get(MOUNTED)), bool(details.get(ATTACHABLE)))
            self._volumes.setdefault(key, {})[record.uid, record.volume] = use
            self.changed.set()

    def forget(self, record: VolumeRecord) -> None:
        """Its pod uses it no longer."""
        key = record.details.get(KEY, "")
        users = self._volumes.get(key, {})
        users.pop((record.uid, record.volume), None)
        self._settled.discard((record.uid, record.volume))
        self._unattached.discard((record.uid, record.volume))
        self.changed.set()
        if not users:
            self._volumes.pop(key, None)

    def others(self, key: str, uid: str, volume: str) -> bool:
        """Whether anybody else uses it, or is about to."""
        return any(user != (uid, volume) for user in self._volumes.get(key, ()))

    def await_attached(self, uid: str, volume: str) -> None:
        """A pod waits until it is attached."""
        self._unattached.add((uid, volume))

    def attached(self, uid: str, volume: str) -> None:
        """It waits no longer."""
        self._unattached.discard((uid, volume))

    def unattached(self, uid: str) -> list[str]:
        """Names of the volumes that a pod waits for so, in order."""
        return sorted(volume for of, volume in self._unattached if of == uid)

    def settle(self, uid: str, volume: str) -> None:
        """This kubelet has mounted it for a pod, and need not again."""
        self._settled.add((uid, volume))

    def unsettle(self, uid: str, volume: str) -> None:
        """It is mounted no longer."""
        self._settled.discard((uid, volume))

    def settled(self, uid: str, volume: str) -> bool:
        """Whether it has."""
        return (uid, volume) in self._settled

    def mounted_elsewhere(self, key: str, uid: str) -> bool:
        """Whether it is mounted for another pod."""
        return any(use.mounted for user, use in self._volumes.get(key, {}).items() if user[0] != uid)

    def attachable(self) -> list[str]:
        """What must stay attached to the node, in order."""
        volumes = self._volumes.items()
        return sorted(key for key, users in volumes if any(use.attachable for use in users.values()))
