"""Which processors containers have for themselves, for the pod-resources API."""

from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.managers.static_cpus import StaticCpus


class AssignedCpus:
    """Containers that share are told of none."""

    def __init__(self, cpus: StaticCpus) -> None:
        self._cpus = cpus

    def refresh(self) -> None:
        """Share again what pods had that are over."""
        self._cpus.refresh()

    def of(self, uid: str, container: str) -> JsonObject:
        """A container's own."""
        return {"cpu_ids": sorted(self._cpus.own(uid, container))}

    def allocatable(self) -> JsonObject:
        """All but the reserved ones."""
        return {"cpu_ids": sorted(self._cpus.allocatable)}
