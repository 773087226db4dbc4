"""Status: what a controller reports, written only when it differs.

A status that is the same is not written: else each report would cause a change, and each change a report.
"""

from collections.abc import Mapping
from typing import Any

from pilothouse.api.machinery.view import JsonObject, View
from pilothouse.client.client import Client, Kind, V


def same_status(view: View, status: Mapping[str, Any]) -> bool:
    """Whether the object reports this already. Absent, null, zero and empty are the same on the wire."""
    return _significant(view.raw.get("status") or {}) == _significant(status)


async def update_status(client: Client, kind: Kind[V], view: V, status: JsonObject) -> V:
    """Replace the status, unless it is the same. Raises Conflict when the object has changed since it was read."""
    if same_status(view, status):
        return view
    manifest = {**view.raw, "status": status}
    return await client.update(kind, manifest, subresource="status")


def _significant(status: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in status.items() if value not in (None, 0, "", [], {})}
