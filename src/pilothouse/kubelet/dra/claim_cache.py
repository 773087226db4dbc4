"""The claims that pods of the node use. Each change is on disk before anything comes of it."""

from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

from pilothouse.kubelet.dra import checkpoint
from pilothouse.kubelet.dra.claim_info import ClaimError, ClaimInfo, Place

ALL = "<any>"
"""What all drivers together are called when claims are counted."""


class ClaimCache:
    """Of one node, whose kubelet has its files in `directory`. Making it raises ValueError."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._known = {info.place: info for info in checkpoint.read(directory)}
        self.on_change: Callable[[Mapping[str, int]], None] = lambda _counts: None
        """Told how many claims are in use, by driver."""

    def get(self, place: Place) -> ClaimInfo | None:
        """One."""
        return self._known.get(place)

    def of_pod(self, uid: str) -> list[ClaimInfo]:
        """Those that a pod uses."""
        return [info for info in self._known.values() if uid in info.pods]

    def pods(self) -> list[str]:
        """The uids of all that use some."""
        return list(dict.fromkeys(uid for info in self._known.values() for uid in info.pods))

    def users(self, driver: str, devices: Iterable[tuple[str, str]]) -> list[str]:
        """The uids of those that have one of these devices, of which there may be any number."""
        wanted, found = frozenset(devices), dict[str, None]()
        for info in self._known.values():
            if any((device.pool, device.name) in wanted for device in info.devices.get(driver, ())):
                found |= info.pods
        return list(found)

    def refer(self, uid: str, infos: Iterable[ClaimInfo]) -> list[ClaimInfo]:
        """Note that a pod uses these claims; what is known of each. Raises ClaimError."""
        found = []
        for info in infos:
            known = self._known.get(info.place, info)
            if known.uid != info.uid:
                raise ClaimError(
                    f"old ResourceClaim with same name {info.name} and different UID {known.uid} still exists "
                    "(previous pod force-deleted?!)"
                )
            found.append(known)
        for known in found:
            self._known[known.place] = known
            known.pods[uid] = None
        self.save("checkpoint ResourceClaim cache")
        return found

    def drop(self, uid: str, infos: Collection[ClaimInfo]) -> None:
        """Note that a pod uses these claims no more. Raises ClaimError: then it uses them still."""
        before = dict(self._known)
        for info in infos:
            info.pods.pop(uid, None)
            if not info.pods:
                self._known.pop(info.place, None)
        try:
            self.save()
        except ClaimError:
            self._known = before
            for info in infos:
                info.pods[uid] = None
            self.on_change(self.counts())
            raise

    def save(self, why: str = "checkpoint ResourceClaim state") -> None:
        """Write all of it down. Raises ClaimError."""
        try:
            checkpoint.write(self._directory, self._known.values())
        except OSError as error:
            raise ClaimError(f"{why}: {error}") from error
        finally:
            self.on_change(self.counts())

    def counts(self) -> dict[str, int]:
        """How many claims are in use, by driver and altogether."""
        found = {ALL: len(self._known)}
        for info in self._known.values():
            for driver in info.devices:
                found[driver] = found.get(driver, 0) + 1
        return found
