"""What the cluster knows of the node's CSI drivers: the node's CSINode, an annotation and labels of its Node.

Upstream: pkg/volume/csi/nodeinfomanager/nodeinfomanager.go.
"""

import json
from collections.abc import Sequence
from typing import Any

from pilothouse.api.machinery.errors import AlreadyExists, Conflict, NotFound
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Node
from pilothouse.api.types.storage_v1 import CSINode
from pilothouse.client.client import Client
from pilothouse.kubelet.csi.client import DriverInfo
from pilothouse.kubelet.plugins.unix_client import PluginError

ANNOTATION = "csi.volume.kubernetes.io/nodeid"
_ATTEMPTS = 10
"""How often a change is tried again that others' changes forestall."""


class NodeInfo:
    """Speaks of one node's drivers. Methods raise StatusError."""

    def __init__(self, client: Client, node_name: str) -> None:
        self._client = client
        self._node_name = node_name

    async def ensure(self) -> None:
        """Have a CSINode, without drivers at first."""
        try:
            await self._client.get(CSINode, self._node_name)
        except NotFound:
            await self._create([])

    async def install(self, name: str, info: DriverInfo) -> None:
        """A driver serves this node. Raises PluginError for what it says of the node and cannot be."""
        if not info.node_id:
            raise PluginError("error adding CSI driver node info: driverNodeID must not be empty")
        await self._tell_node(name, info)
        await self._change_drivers(name, _entry(name, info))

    async def uninstall(self, name: str) -> None:
        """A driver is gone; labels stay, for volumes may be bound by them."""
        await self._change_drivers(name, None)
        await self._tell_node(name, None)

    async def _tell_node(self, name: str, info: DriverInfo | None) -> None:
        for _ in range(_ATTEMPTS):
            meta = (await self._client.get(Node, self._node_name)).metadata
            patch = _node_patch(name, info, dict(meta.annotations), dict(meta.labels))
            if not patch:
                return
            patch["resourceVersion"] = meta.resourceVersion
            try:
                await self._client.patch(Node, self._node_name, "", {"metadata": patch})
            except Conflict:
                continue
            return
        raise Conflict(f"the annotations of node {self._node_name} change all the time")

    async def _change_drivers(self, name: str, entry: JsonObject | None) -> None:
        for _ in range(_ATTEMPTS):
            try:
                raw = (await self._client.get(CSINode, self._node_name)).literal()
                present: list[Any] = (raw.get("spec") or {}).get("drivers") or []
                drivers = with_driver(present, name, entry)
                if drivers == present:
                    return
                await self._client.update(CSINode, {**raw, "spec": {**raw["spec"], "drivers": drivers}})
            except NotFound:
                if entry is None:
                    return
                try:
                    await self._create([entry])
                except AlreadyExists:
                    continue
            except Conflict:
                continue
            return
        raise Conflict(f"the CSINode of node {self._node_name} changes all the time")

    async def _create(self, drivers: Sequence[JsonObject]) -> None:
        node = (await self._client.get(Node, self._node_name)).metadata
        owner = {"apiVersion": "v1", "kind": "Node", "name": node.name, "uid": node.uid}
        meta = {"name": self._node_name, "ownerReferences": [owner]}
        await self._client.create(CSINode, {"metadata": meta, "spec": {"drivers": list(drivers)}})


def _entry(name: str, info: DriverInfo) -> JsonObject:
    entry: JsonObject = {"name": name, "nodeID": info.node_id, "topologyKeys": sorted(info.topology)}
    if info.most > 0:
        entry["allocatable"] = {"count": info.most}
    return entry


def with_driver(present: Sequence[JsonObject], name: str, entry: JsonObject | None) -> list[JsonObject]:
    """A CSINode's drivers with this one as it is now, or without it."""
    others = [one for one in present if one["name"] != name]
    if entry is None:
        return others
    return list(present) if entry in present else [*others, entry]


def _node_patch(name: str, info: DriverInfo | None, annotations: dict[str, str], labels: dict[str, str]) -> JsonObject:
    """What changes in the Node's metadata. Raises PluginError when a label says something else already."""
    try:
        known = json.loads(annotations.get(ANNOTATION) or "{}")
    except ValueError:
        known = {}
    if not isinstance(known, dict):
        known = {}
    wanted = {key: value for key, value in known.items() if key != name}
    patch: JsonObject = {}
    if info is not None:
        wanted[name] = info.node_id
        for key, value in info.topology.items():
            if labels.get(key, value) != value:
                raise PluginError(
                    "error updating Node object with CSI driver node info: detected topology value collision: "
                    f'driver reported "{key}":"{value}" but existing label is "{key}":"{labels[key]}"'
                )
        if fresh := {key: value for key, value in info.topology.items() if key not in labels}:
            patch["labels"] = fresh
    if wanted != known:
        text = json.dumps(wanted, separators=(",", ":"), sort_keys=True) if wanted else None
        patch["annotations"] = {ANNOTATION: text}
    return patch
