"""The claims that pods of the node use, on disk: what an earlier kubelet had made ready is given back by the next.

The file is upstream's, in its form. Upstream: pkg/kubelet/cm/dra/state/checkpoint.go.
"""

import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson

from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.dra.claim_info import ClaimInfo, Device
from pilothouse.runtime.whole_file import write_whole

FILE = "dra_manager_state"
_ENTRIES = "ClaimInfoStateList"
_KIND = {"kind": "DRACheckpoint", "apiVersion": "checkpoint.dra.kubelet.k8s.io/v1"}


def write(directory: Path, infos: Iterable[ClaimInfo]) -> None:
    """Write them down, whole or not at all. Raises OSError."""
    data = orjson.dumps({**_KIND, _ENTRIES: [_entry(info) for info in infos]})
    directory.mkdir(parents=True, exist_ok=True, mode=0o750)
    write_whole(directory / FILE, orjson.dumps({"Data": data.decode(), "Checksum": zlib.crc32(data)}))


def read(directory: Path) -> list[ClaimInfo]:
    """As the last kubelet left them; none without a file. Raises ValueError when it is not to be understood."""
    path = directory / FILE
    try:
        known = orjson.loads(path.read_bytes())
        data = known["Data"].encode()
        if zlib.crc32(data) != known["Checksum"]:
            raise ValueError("checkpoint is corrupted")
        return [_info(entry) for entry in orjson.loads(data)[_ENTRIES] or ()]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"create ResourceClaim cache: failed to get checkpoint {FILE}: {error}, please drain this node and delete "
            f'the DRA state file "{path}" before restarting Kubelet'
        ) from error


def _entry(info: ClaimInfo) -> JsonObject:
    drivers = {
        driver: {"Devices": [_written(device) for device in devices] or None}
        for driver, devices in info.devices.items()
    }
    return {
        "ClaimUID": info.uid, "ClaimName": info.name, "Namespace": info.namespace,
        "PodUIDs": {uid: {} for uid in sorted(info.pods)}, "DriverState": drivers,
    }  # fmt: skip


def _written(device: Device) -> JsonObject:
    return {
        "PoolName": device.pool, "DeviceName": device.name, "ShareID": device.share or None,
        "RequestNames": list(device.requests) or None, "CDIDeviceIDs": list(device.cdi) or None,
    }  # fmt: skip


def _info(entry: Mapping[str, Any]) -> ClaimInfo:
    devices = {
        driver: tuple(_device(one) for one in state["Devices"] or ()) for driver, state in entry["DriverState"].items()
    }
    pods = dict.fromkeys(entry["PodUIDs"])
    return ClaimInfo(entry["Namespace"], entry["ClaimName"], entry["ClaimUID"], devices, pods)


def _device(one: Mapping[str, Any]) -> Device:
    requests, cdi = tuple(one["RequestNames"] or ()), tuple(one["CDIDeviceIDs"] or ())
    return Device(one["PoolName"], one["DeviceName"], requests, cdi, one.get("ShareID") or "")
