"""The contract of a source of projected volumes: which files it puts beside those of the others.

Found in `projections/`, one file a source; `volumes/projected.py` joins them. API page: "Projected Volumes".
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from pilothouse.api.types.core_v1 import Pod, VolumeProjection
from pilothouse.kubelet.atomic_files import FileContent
from pilothouse.kubelet.containers import every
from pilothouse.kubelet.payloads import Payload
from pilothouse.kubelet.volume import Surroundings

_PRIVATE = 0o600


@dataclass(frozen=True, slots=True)
class Source:
    """One source of a volume."""

    part: VolumeProjection
    mode: int
    """What files have whose own mode is not given."""
    volume: str
    """The volume's name."""
    position: int
    """The source's place in the volume."""


class Projection(ABC):
    """One kind of source."""

    field: ClassVar[str]
    """The field of `projected.sources[]` that says it is of this kind."""

    @abstractmethod
    async def payload(self, source: Source, around: Surroundings, /) -> Payload:
        """The files by path. Raises VolumeError."""


def private_file(data: bytes, mode: int, pod: Pod) -> FileContent:
    """A file that is readable by the pod's only user alone, where there is one, or else by the pod's group."""
    user = _only_user(pod)
    if user is not None or pod.spec.securityContext.fsGroup is not None:
        mode = _PRIVATE
    return FileContent(data, mode, -1 if user is None else user)


def _only_user(pod: Pod) -> int | None:
    """The user that all containers run as, where the spec says so."""
    shared = pod.spec.securityContext.runAsUser
    users = {
        shared if container.securityContext.runAsUser is None else container.securityContext.runAsUser
        for container in every(pod)
    }
    return users.pop() if len(users) == 1 else None
