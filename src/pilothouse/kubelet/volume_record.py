"""Records of volumes: what must be known to take a volume away when the pod and the kubelet that made it are gone.

A record lies beside the volume, not in it, and is there before anything is mounted. A volume without one (it was made
before there were records, or the power failed) is known by its path alone, as upstream knows most of its volumes.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import orjson

from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.layout import Layout

FILE = "vol_data.json"
AT = "at"
"""A detail: plug-in and name that a volume lies under, where those are not its own."""
_PREFIX = "kubernetes.io~"


@dataclass(frozen=True, slots=True)
class VolumeRecord:
    """What is known of one volume of one pod."""

    uid: str
    """Of the pod."""
    plugin: str
    volume: str
    """Its name in the pod's spec."""
    kind: str = ""
    """The field of `spec.volumes[]`; empty when only the path is known."""
    namespace: str = ""
    pod: str = ""
    source: JsonObject = field(default_factory=dict)
    """The volume as the pod's spec has it."""
    details: JsonObject = field(default_factory=dict)
    """What its type wants to know again."""
    owned: str | None = None
    """The boot of the machine in which its content was given to the pod's fsGroup."""


class VolumeRecords:
    """The records of a node, on its disk."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def write(self, record: VolumeRecord) -> None:
        """Have this record in place of an older one, whole or not at all."""
        path = self._path(record.uid, record.plugin, record.volume)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        fresh = path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_bytes(orjson.dumps(asdict(record)))
        fresh.rename(path)

    def known(self, uid: str, plugin: str, volume: str) -> bool:
        """Whether there is a record."""
        return self._path(uid, plugin, volume).exists()

    def get(self, uid: str, plugin: str, volume: str) -> VolumeRecord:
        """The record of a volume, or what its path says."""
        try:
            found = orjson.loads(self._path(uid, plugin, volume).read_bytes())
            return VolumeRecord(**{**found, "uid": uid, "plugin": plugin, "volume": volume})
        except (OSError, ValueError, TypeError):
            return VolumeRecord(uid, plugin, volume)

    def of_pod(self, uid: str) -> list[VolumeRecord]:
        """All volumes of a pod that may be on the node, by plug-in and name; each once, wherever it lies."""
        pod = self._layout.pod(uid)
        known = dict.fromkeys(sorted({*_entries(pod / "plugins"), *_entries(pod / "volumes")}))
        found = [self.get(uid, plugin, volume) for plugin, volume in known]
        kept = {tuple(record.details[AT]) for record in found if AT in record.details}
        return [record for record in found if (record.plugin, record.volume) not in kept]

    def remove(self, record: VolumeRecord) -> None:
        """The volume is no longer there."""
        path = self._path(record.uid, record.plugin, record.volume)
        path.unlink(missing_ok=True)
        path.with_suffix(".new").unlink(missing_ok=True)
        if path.parent.exists():
            path.parent.rmdir()

    def _path(self, uid: str, plugin: str, volume: str) -> Path:
        return self._layout.volume_record(uid, plugin, volume) / FILE


def _entries(directory: Path) -> Iterator[tuple[str, str]]:
    """Plug-ins and volumes by the names of directories."""
    for place in directory.glob(f"{_PREFIX}*/*"):
        yield place.parent.name.removeprefix(_PREFIX), place.name
