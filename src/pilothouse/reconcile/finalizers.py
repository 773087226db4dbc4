"""Finalizers: names on an object that keep it from going until their controllers have done their part.

API page: Kubernetes object metadata, "Finalizers".
"""

from pilothouse.api.machinery.errors import NotFound
from pilothouse.api.machinery.view import View
from pilothouse.client.client import Client, Kind, V


def has_finalizer(view: View, name: str) -> bool:
    """Whether the finalizer is on the object."""
    return name in view.metadata.finalizers


async def add_finalizer(client: Client, kind: Kind[V], view: V, name: str) -> V:
    """Put it there, unless it is. Raises Conflict when the object has changed."""
    if has_finalizer(view, name):
        return view
    return await _write(client, kind, view, [*view.metadata.finalizers, name])


async def remove_finalizer(client: Client, kind: Kind[V], view: V, name: str) -> None:
    """Take it away; the object may be gone then. Raises Conflict when the object has changed."""
    if has_finalizer(view, name):
        try:
            await _write(client, kind, view, [kept for kept in view.metadata.finalizers if kept != name])
        except NotFound:
            return


async def _write(client: Client, kind: Kind[V], view: V, names: list[str]) -> V:
    meta = view.metadata
    patch = {"metadata": {"finalizers": names, "resourceVersion": meta.resourceVersion}}
    return await client.patch(kind, meta.name, meta.namespace, patch)
