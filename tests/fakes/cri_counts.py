"""What a runtime answers to the stats calls, in the shape of CRI's messages. What is None is not sent."""

from typing import Any

from pilothouse.api.machinery.view import JsonObject
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


def container_stats(use: ContainerUse) -> JsonObject:
    metadata = {"name": use.name, "attempt": use.attempt}
    return {
        "attributes": {"id": use.id, "metadata": metadata, "labels": dict(use.labels)},
        **_told(
            cpu=use.cpu and _cpu(use.cpu),
            memory=use.memory and _memory(use.memory),
            swap=use.swap and _swap(use.swap),
            writable_layer=use.writable and _filesystem(use.writable),
        ),
    }


def sandbox_stats(use: SandboxUse) -> JsonObject:
    interfaces = [_interface(one) for one in use.interfaces]
    network: JsonObject = {"timestamp": _nanos(use.network_at), "interfaces": interfaces[1:]}
    if interfaces:
        network["default_interface"] = interfaces[0]
    linux = {
        "network": network,
        "process": _values(process_count=use.processes),
        "containers": [container_stats(one) for one in use.containers],
        **_told(cpu=use.cpu and _cpu(use.cpu), memory=use.memory and _memory(use.memory)),
    }
    metadata = {"name": use.name, "namespace": use.namespace, "uid": use.uid}
    return {"attributes": {"id": use.id, "metadata": metadata}, "linux": linux}


def filesystems(found: ImageFilesystems) -> JsonObject:
    return {
        "image_filesystems": [_filesystem(one) for one in found.images],
        "container_filesystems": [_filesystem(one) for one in found.containers],
    }


def _told(**fields: Any) -> JsonObject:
    return {name: value for name, value in fields.items() if value is not None}


def _values(**fields: int | None) -> JsonObject:
    return {name: {"value": value} for name, value in fields.items() if value is not None}


def _nanos(seconds: float) -> int:
    return round(seconds * 1e9)


def _cpu(use: CpuUse) -> JsonObject:
    numbers = _values(usage_core_nano_seconds=use.total_nanos, usage_nano_cores=use.nano_cores)
    return {"timestamp": _nanos(use.at), **numbers}


def _memory(use: MemoryUse) -> JsonObject:
    numbers = _values(
        usage_bytes=use.usage, working_set_bytes=use.working_set, available_bytes=use.available, rss_bytes=use.rss,
        page_faults=use.page_faults, major_page_faults=use.major_page_faults,
    )  # fmt: skip
    return {"timestamp": _nanos(use.at), **numbers}


def _swap(use: SwapUse) -> JsonObject:
    return {"timestamp": _nanos(use.at), **_values(swap_usage_bytes=use.usage, swap_available_bytes=use.available)}


def _filesystem(use: FilesystemShare) -> JsonObject:
    numbers = _values(used_bytes=use.used, inodes_used=use.inodes_used)
    return {"timestamp": _nanos(use.at), "fs_id": {"mountpoint": use.mountpoint}, **numbers}


def _interface(use: InterfaceUse) -> JsonObject:
    numbers = _values(rx_bytes=use.rx_bytes, rx_errors=use.rx_errors, tx_bytes=use.tx_bytes, tx_errors=use.tx_errors)
    return {"name": use.name, **numbers}
