"""Records of what pods are granted: on disk, beside what else belongs to the pod, and gone with it.

Upstream keeps one file for all pods (`allocated_pods_state`); a file for each is written whole or not at all just the
same, whatever the number of pods, and no record outlives its pod.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from pilothouse.api.types.core_v1 import Container, Pod
from pilothouse.kubelet.containers import is_sidecar
from pilothouse.kubelet.layout import Layout
from pilothouse.runtime.log import Log
from pilothouse.runtime.whole_file import write_whole

log = Log(__name__)
FILE = "allocated_resources"


@dataclass(frozen=True, slots=True)
class Allocation:
    """What one pod is granted."""

    generation: int
    """Of the spec that asked for it."""
    containers: Mapping[str, Any]
    """The `resources` of the containers that can be resized, by name."""
    pod: Mapping[str, Any] | None = None
    """Those of the pod as a whole."""
    settled: bool = True
    """It is in force, as far as containers run."""
    restarting: tuple[str, ...] = field(default=())
    """Ids of runs that are ended only to start anew."""

    def applied(self, pod: Pod) -> Pod:
        """The pod with these resources in place of those that it asks for; itself when they are the same."""
        wanted = asked(pod)
        if (wanted.containers, wanted.pod) == (self.containers, self.pod):
            return pod
        spec = {**pod.raw["spec"], "resources": self.pod}
        for listing in ("initContainers", "containers"):
            if listing in spec:
                spec[listing] = [self._given(container) for container in spec[listing]]
        return Pod({**pod.raw, "spec": {name: value for name, value in spec.items() if value is not None}})

    def _given(self, container: Mapping[str, Any]) -> Mapping[str, Any]:
        name = container["name"]
        return {**container, "resources": self.containers[name]} if name in self.containers else container


def asked(pod: Pod) -> Allocation:
    """What the pod's spec asks for, of what can be changed later."""
    sidecars = [one for one in pod.spec.initContainers if is_sidecar(one)]
    resizable: list[Container] = [*sidecars, *pod.spec.containers]
    containers = {one.name: one.raw.get("resources") or {} for one in resizable}
    return Allocation(pod.metadata.generation or 0, containers, pod.spec.raw.get("resources"))


class AllocationStore:
    """The records of a node, on its disk."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def load(self, uid: str) -> Allocation | None:
        """What the pod is granted, if that is known."""
        try:
            known = orjson.loads((self._layout.pod(uid) / FILE).read_bytes())
            return Allocation(
                known["generation"], known["containers"], known["pod"], known["settled"], tuple(known["restarting"])
            )
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("Failed to read what a pod is granted", uid=uid, err=str(error))
            return None

    def save(self, uid: str, allocation: Allocation) -> None:
        """Have this record in place of an older one, whole or not at all. Raises OSError."""
        directory = self._layout.pod(uid)
        directory.mkdir(parents=True, exist_ok=True, mode=0o750)
        write_whole(directory / FILE, orjson.dumps(asdict(allocation)), lasting=False)
