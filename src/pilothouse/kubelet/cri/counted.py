"""From the messages of the stats calls to what is used."""

from typing import Any

from pilothouse.kubelet.cri.interface import CriNonsense
from pilothouse.kubelet.cri.usage import (
    ContainerUse,
    CpuUse,
    FilesystemShare,
    ImageFilesystems,
    InterfaceUse,
    MemoryUse,
    SandboxUse,
    SwapUse,
)


def container_use(stats: Any) -> ContainerUse:
    """One container's."""
    about = stats.attributes
    return ContainerUse(
        about.id, about.metadata.name, about.metadata.attempt, dict(about.labels),
        _cpu(stats.cpu) if stats.HasField("cpu") else None,
        _memory(stats.memory) if stats.HasField("memory") else None,
        _swap(stats.swap) if stats.HasField("swap") else None,
        _filesystem(stats.writable_layer) if stats.HasField("writable_layer") else None,
    )  # fmt: skip


def sandbox_use(answer: Any) -> SandboxUse:
    """One sandbox's. Raises CriNonsense."""
    if not answer.stats.attributes.id:
        raise CriNonsense("the runtime's answer to PodSandboxStats tells of no sandbox")
    stats, meta = answer.stats.linux, answer.stats.attributes.metadata
    network = stats.network
    interfaces = [network.default_interface] if network.HasField("default_interface") else []
    return SandboxUse(
        answer.stats.attributes.id, meta.name, meta.namespace, meta.uid,
        _cpu(stats.cpu) if stats.HasField("cpu") else None,
        _memory(stats.memory) if stats.HasField("memory") else None,
        network.timestamp / 1e9, tuple(_interface(one) for one in (*interfaces, *network.interfaces)),
        _number(stats.process, "process_count"), tuple(container_use(one) for one in stats.containers),
    )  # fmt: skip


def image_filesystems(answer: Any) -> ImageFilesystems:
    """Where images lie."""
    return ImageFilesystems(
        tuple(_filesystem(one) for one in answer.image_filesystems),
        tuple(_filesystem(one) for one in answer.container_filesystems),
    )


def _number(message: Any, field: str) -> int | None:
    return int(getattr(message, field).value) if message.HasField(field) else None


def _cpu(cpu: Any) -> CpuUse:
    return CpuUse(cpu.timestamp / 1e9, _number(cpu, "usage_core_nano_seconds"), _number(cpu, "usage_nano_cores"))


def _memory(memory: Any) -> MemoryUse:
    fields = ("usage_bytes", "working_set_bytes", "available_bytes", "rss_bytes", "page_faults", "major_page_faults")
    return MemoryUse(memory.timestamp / 1e9, *(_number(memory, field) for field in fields))


def _swap(swap: Any) -> SwapUse:
    return SwapUse(swap.timestamp / 1e9, _number(swap, "swap_usage_bytes"), _number(swap, "swap_available_bytes"))


def _filesystem(one: Any) -> FilesystemShare:
    used, inodes = _number(one, "used_bytes"), _number(one, "inodes_used")
    return FilesystemShare(one.timestamp / 1e9, one.fs_id.mountpoint, used, inodes)


def _interface(one: Any) -> InterfaceUse:
    fields = ("rx_bytes", "rx_errors", "tx_bytes", "tx_errors")
    return InterfaceUse(one.name, *(_number(one, field) for field in fields))
