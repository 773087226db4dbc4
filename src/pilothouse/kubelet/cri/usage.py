"""What containers, sandboxes and images use, as the runtime counts it. None: it does not say."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pilothouse.runtime.clock import Instant


@dataclass(frozen=True, slots=True)
class CpuUse:
    """Over all cores."""

    at: Instant
    total_nanos: int | None = None
    """Since the beginning."""
    nano_cores: int | None = None
    """Lately."""


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """Bytes, and faults since the beginning."""

    at: Instant
    usage: int | None = None
    working_set: int | None = None
    available: int | None = None
    rss: int | None = None
    page_faults: int | None = None
    major_page_faults: int | None = None


@dataclass(frozen=True, slots=True)
class SwapUse:
    """Bytes."""

    at: Instant
    usage: int | None = None
    available: int | None = None


@dataclass(frozen=True, slots=True)
class FilesystemShare:
    """What lies on the file system at `mountpoint`: its share, not the whole file system's."""

    at: Instant
    mountpoint: str
    used: int | None = None
    inodes_used: int | None = None


@dataclass(frozen=True, slots=True)
class InterfaceUse:
    """A network interface of a sandbox, since it was made."""

    name: str
    rx_bytes: int | None = None
    rx_errors: int | None = None
    tx_bytes: int | None = None
    tx_errors: int | None = None


@dataclass(frozen=True, slots=True)
class ContainerUse:
    """One container. What ended uses nothing and is not counted."""

    id: str
    name: str
    attempt: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    cpu: CpuUse | None = None
    memory: MemoryUse | None = None
    swap: SwapUse | None = None
    writable: FilesystemShare | None = None
    """What it wrote outside of its volumes."""


@dataclass(frozen=True, slots=True)
class SandboxUse:
    """A sandbox and what is in it."""

    id: str
    name: str
    namespace: str
    uid: str
    cpu: CpuUse | None = None
    memory: MemoryUse | None = None
    network_at: Instant = 0.0
    interfaces: tuple[InterfaceUse, ...] = ()
    """The default one first."""
    processes: int | None = None
    containers: tuple[ContainerUse, ...] = ()


@dataclass(frozen=True, slots=True)
class ImageFilesystems:
    """Where images lie, and where containers write, if that is somewhere else."""

    images: tuple[FilesystemShare, ...] = ()
    containers: tuple[FilesystemShare, ...] = ()
