"""Objects that are in every cluster: the system's namespaces and priority classes.

Source: pkg/controlplane/controller/systemnamespaces, pkg/registry/scheduling/rest/storage_scheduling.go.
"""

from collections.abc import Iterable
from contextlib import suppress
from typing import TypeVar

from pilothouse.api.machinery.errors import AlreadyExists, NotFound
from pilothouse.api.machinery.view import JsonObject, View
from pilothouse.api.scheduling.priority_class import SYSTEM_CLASSES
from pilothouse.api.types.core_v1 import Namespace
from pilothouse.api.types.scheduling_v1 import PriorityClass
from pilothouse.client.client import Client, Kind

V = TypeVar("V", bound=View)

NAMESPACES = ("kube-system", "kube-public", "kube-node-lease", "default")
_DESCRIPTIONS = {
    "system-node-critical": "Used for system critical pods that must not be moved from their current node.",
    "system-cluster-critical": "Used for system critical pods that must run in the cluster, but can be moved to "
    "another node if necessary.",
}


async def make_manifests(client: Client, manifests: Iterable[JsonObject]) -> None:
    """Make what is missing of the objects that whoever set the cluster up wants in it. What is there stays as it is.

    Raises LookupError for a kind that is not served.
    """
    for manifest in manifests:
        group, _, version = manifest["apiVersion"].rpartition("/")
        resource = client.catalogue.by_kind(group, version, manifest["kind"])
        if resource is None:
            raise LookupError(f"{manifest['apiVersion']} {manifest['kind']} is not served")
        await _make(client, resource, manifest)


async def make_objects(client: Client) -> None:
    """Make what is missing."""
    for name in NAMESPACES:
        await _make(client, Namespace, {"metadata": {"name": name}})
    for name, value in SYSTEM_CLASSES.items():
        manifest = {"metadata": {"name": name}, "value": value, "description": _DESCRIPTIONS[name]}
        await _make(client, PriorityClass, manifest)


async def _make(client: Client, kind: Kind[V], manifest: JsonObject) -> None:
    """Create, unless it is there: looked up first, since a Service of a fixed address is refused before it is known."""
    name, namespace = manifest["metadata"]["name"], manifest["metadata"].get("namespace", "")
    try:
        await client.get(kind, name, namespace)
    except NotFound:
        with suppress(AlreadyExists):
            await client.create(kind, manifest, namespace)
