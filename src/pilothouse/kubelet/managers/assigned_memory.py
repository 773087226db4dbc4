"""Which memory containers are bound to, for the pod-resources API."""

from collections.abc import Iterable

from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.managers.memory_ledger import Block
from pilothouse.kubelet.managers.static_memory import StaticMemory


class AssignedMemory:
    """Containers that may have theirs from anywhere are told of none."""

    def __init__(self, memory: StaticMemory) -> None:
        self._memory = memory

    def refresh(self) -> None:
        """Take back what pods had that are over."""
        self._memory.refresh()

    def of(self, uid: str, container: str) -> JsonObject:
        """A container's own."""
        return _told(self._memory.own(uid, container))

    def allocatable(self) -> JsonObject:
        """All but what is kept for others, node by node."""
        return _told(self._memory.allocatable())


def _told(blocks: Iterable[Block]) -> JsonObject:
    return {
        "memory": [
            {"memory_type": one.kind, "size": one.size, "topology": {"nodes": [{"ID": node} for node in one.nodes]}}
            for one in blocks
        ]
    }
