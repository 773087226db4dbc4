"""Which devices which containers have, and what the plugin said that a container with them needs.

It is written down beside the plugins' sockets, in upstream's form, for other programs read it there; only the checksum
is ours. Upstream: pkg/kubelet/cm/devicemanager/pod_devices.go, checkpoint/checkpoint.go.
"""

import base64
import zlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from google.protobuf.message import DecodeError

from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.contribution import Contribution
from pilothouse.kubelet.devices.stock import Device
from pilothouse.kubelet.devices.table import messages
from pilothouse.runtime.log import Log
from pilothouse.runtime.whole_file import write_whole

log = Log(__name__)
FILE = "kubelet_internal_checkpoint"
_NO_NODE = -1


@dataclass(frozen=True, slots=True)
class Handed:
    """Devices of one resource that one container has."""

    by_node: Mapping[int, tuple[str, ...]]
    """Ids by NUMA node; -1 stands for those that are near to none. One may be near to several."""
    response: bytes
    """A ContainerAllocateResponse."""

    @classmethod
    def of(cls, devices: Iterable[Device], response: bytes) -> "Handed":
        """These devices."""
        found: dict[int, tuple[str, ...]] = {}
        for device in devices:
            for node in device.nodes or (_NO_NODE,):
                found[node] = (*found.get(node, ()), device.id)
        return cls(found, response)

    @property
    def ids(self) -> frozenset[str]:
        """Of all of them."""
        return frozenset(name for names in self.by_node.values() for name in names)

    def devices(self) -> list[Device]:
        """As far as they are known by what is written down."""
        nodes = {
            name: tuple(sorted(node for node, names in self.by_node.items() if name in names and node != _NO_NODE))
            for name in sorted(self.ids)
        }
        return [Device(name, nodes=near) for name, near in nodes.items()]


class HandedOut:
    """Of one node."""

    def __init__(self) -> None:
        self._pods: dict[str, dict[str, dict[str, Handed]]] = {}

    def of(self, uid: str, container: str) -> Mapping[str, Handed]:
        """What a container has, by resource."""
        return self._pods.get(uid, {}).get(container, {})

    def has(self, uid: str) -> bool:
        """Whether the pod has anything."""
        return uid in self._pods

    def holders(self, resource: str, ids: Collection[str]) -> list[str]:
        """The uids of the pods that have some of these."""
        return [
            uid
            for uid, containers in self._pods.items()
            if any(resource in each and not each[resource].ids.isdisjoint(ids) for each in containers.values())
        ]

    def add(self, uid: str, container: str, resource: str, handed: Handed) -> None:
        """The container has these now."""
        self._pods.setdefault(uid, {}).setdefault(container, {})[resource] = handed

    def take_back(self, uid: str, container: str, resource: str) -> None:
        """The container has none of them any more."""
        containers = self._pods.get(uid, {})
        containers.get(container, {}).pop(resource, None)
        if not containers.get(container):
            containers.pop(container, None)
        if not containers:
            self._pods.pop(uid, None)

    def keep(self, uids: Collection[str]) -> None:
        """All other pods are gone."""
        for uid in self._pods.keys() - set(uids):
            del self._pods[uid]

    def in_use(self) -> dict[str, set[str]]:
        """The ids that somebody has, by resource."""
        found: dict[str, set[str]] = {}
        for containers in self._pods.values():
            for resources in containers.values():
                for name, handed in resources.items():
                    found.setdefault(name, set()).update(handed.ids)
        return found

    def entries(self) -> list[JsonObject]:
        """As they are written down."""
        return [
            {
                "PodUID": uid, "ContainerName": container, "ResourceName": resource,
                "DeviceIDs": {str(node): list(names) for node, names in sorted(handed.by_node.items())},
                "AllocResp": base64.b64encode(handed.response).decode(),
            }
            for uid, containers in self._pods.items()
            for container, resources in containers.items()
            for resource, handed in resources.items()
        ]  # fmt: skip

    def restore(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """From what is written down. Raises ValueError, KeyError, TypeError."""
        for entry in entries:
            by_node = {int(node): tuple(names) for node, names in entry["DeviceIDs"].items()}
            response = base64.b64decode(entry["AllocResp"])
            try:
                messages()["ContainerAllocateResponse"].FromString(response)
            except DecodeError as error:
                raise ValueError(str(error)) from error
            self.add(entry["PodUID"], entry["ContainerName"], entry["ResourceName"], Handed(by_node, response))


def contribution(handed: Mapping[str, Handed]) -> Contribution:
    """What a container with all that gets. Where two plugins want the same, the first has it."""
    envs, annotations = dict[str, str](), dict[str, str]()
    mounts, devices, cdi = dict[str, JsonObject](), dict[str, JsonObject](), dict[str, None]()
    for resource in sorted(handed):
        said = messages()["ContainerAllocateResponse"].FromString(handed[resource].response)
        envs = dict(said.envs) | envs
        annotations = dict(said.annotations) | annotations
        for mount in said.mounts:
            mounts.setdefault(mount.container_path, {
                "container_path": mount.container_path, "host_path": mount.host_path, "readonly": mount.read_only,
            })  # fmt: skip
        for device in said.devices:
            devices.setdefault(device.container_path, {
                "container_path": device.container_path, "host_path": device.host_path,
                "permissions": device.permissions,
            })  # fmt: skip
        cdi |= dict.fromkeys(device.name for device in said.cdi_devices)
    return Contribution(
        devices=tuple(devices.values()), mounts=tuple(mounts.values()), envs=envs, annotations=annotations,
        cdi=tuple(cdi),
    )  # fmt: skip


def write(directory: Path, handed: HandedOut, registered: Mapping[str, list[str]]) -> None:
    """Write down what is handed out, and which plugins there are, whole or not at all. Raises OSError."""
    data = {"PodDeviceEntries": handed.entries(), "RegisteredDevices": registered}
    directory.mkdir(parents=True, exist_ok=True, mode=0o750)
    write_whole(directory / FILE, orjson.dumps({"Data": data, "Checksum": _checksum(data)}))


def read(directory: Path, handed: HandedOut) -> list[str]:
    """Take in what was handed out; the resources that had plugins. What cannot be read is as if it was not there."""
    try:
        known = orjson.loads((directory / FILE).read_bytes())
        data = known["Data"]
        if known["Checksum"] != _checksum(data):
            raise ValueError("checkpoint is corrupted")
        handed.restore(data["PodDeviceEntries"])
        return list(data["RegisteredDevices"])
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        log.error("Continue after failing to read checkpoint file; device allocation info may not be up to date",
                  err=str(error))  # fmt: skip
        return []


def _checksum(data: JsonObject) -> int:
    return zlib.crc32(orjson.dumps(data))
