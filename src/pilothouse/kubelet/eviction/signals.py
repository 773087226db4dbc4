"""Signals: of what a node has how much left. One a name, as upstream has them in KubeletConfiguration."""

from collections.abc import Mapping
from dataclasses import dataclass

from pilothouse.api.machinery.quantity import Quantity, QuantityFormat, of_units
from pilothouse.kubelet.machine import Disk, Processes

MEMORY, PODS_MEMORY = "memory.available", "allocatableMemory.available"
NODE_DISK, NODE_INODES = "nodefs.available", "nodefs.inodesFree"
IMAGE_DISK, IMAGE_INODES = "imagefs.available", "imagefs.inodesFree"
CONTAINER_DISK, CONTAINER_INODES = "containerfs.available", "containerfs.inodesFree"
PROCESSES = "pid.available"
MEMORY_PRESSURE, DISK_PRESSURE, PID_PRESSURE = "MemoryPressure", "DiskPressure", "PIDPressure"
CONDITIONS = (MEMORY_PRESSURE, DISK_PRESSURE, PID_PRESSURE)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a signal is about."""

    condition: str
    """Of the node, while there is too little."""
    resource: str
    """As events call it."""


MEANINGS: Mapping[str, Meaning] = {
    MEMORY: Meaning(MEMORY_PRESSURE, "memory"),
    PODS_MEMORY: Meaning(MEMORY_PRESSURE, "memory"),
    NODE_DISK: Meaning(DISK_PRESSURE, "ephemeral-storage"),
    NODE_INODES: Meaning(DISK_PRESSURE, "inodes"),
    IMAGE_DISK: Meaning(DISK_PRESSURE, "ephemeral-storage"),
    IMAGE_INODES: Meaning(DISK_PRESSURE, "inodes"),
    CONTAINER_DISK: Meaning(DISK_PRESSURE, "ephemeral-storage"),
    CONTAINER_INODES: Meaning(DISK_PRESSURE, "inodes"),
    PROCESSES: Meaning(PID_PRESSURE, "pids"),
}


@dataclass(frozen=True, slots=True)
class MemoryLevel:
    """Bytes that may be used, and that are. What the kernel can take back easily is not used."""

    capacity: int
    working_set: int
    usage: int
    """With what the kernel can take back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """What is left of everything, at one moment. None: it cannot be told."""

    memory: MemoryLevel | None = None
    pods_memory: MemoryLevel | None = None
    """Of what all pods together may use."""
    disk: Disk | None = None
    """Where pods have their files and logs."""
    images: Disk | None = None
    """Where images lie, and what containers write outside of volumes."""
    processes: Processes | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """Of one signal."""

    available: Quantity
    capacity: int


def observe(levels: Levels) -> dict[str, Observation]:
    """By signal, where something can be told of it."""
    found: dict[str, Observation] = {}
    for signal, memory in ((MEMORY, levels.memory), (PODS_MEMORY, levels.pods_memory)):
        if memory is not None:
            found[signal] = _bytes(max(memory.capacity - memory.working_set, 0), memory.capacity)
    for size, inodes, disk in ((NODE_DISK, NODE_INODES, levels.disk), (IMAGE_DISK, IMAGE_INODES, levels.images)):
        if disk is not None:
            found[size] = _bytes(disk.available, disk.size)
            found[inodes] = Observation(of_units(disk.free_inodes), disk.inodes)
    if levels.processes is not None:
        most = levels.processes.most
        found[PROCESSES] = Observation(of_units(most - levels.processes.present), most)
    return found


def _bytes(available: int, capacity: int) -> Observation:
    return Observation(of_units(available, QuantityFormat.BINARY), capacity)
