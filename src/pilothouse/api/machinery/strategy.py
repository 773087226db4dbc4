"""Strategies that many kinds share: what becomes of `status` when the main resource is written.

Only the status subresource writes status. A write of the main resource creates an object with an empty one and leaves
the stored one alone. Objects keep the fields that Go always writes, such as `status: {}` or `replicas: 0`, because
upstream's answers have them.
"""

from collections.abc import Callable
from typing import Any

from pilothouse.api.machinery.view import JsonObject


def fresh_status(**fields: Any) -> Callable[[JsonObject], None]:
    """Make a creation strategy that replaces status by `fields`."""

    def prepare(obj: JsonObject) -> None:
        obj["status"] = dict(fields)

    return prepare


def keep_status(obj: JsonObject, old: JsonObject) -> None:
    """Update strategy: the stored status stays, whatever the writer sent."""
    if "status" in old:
        obj["status"] = old["status"]
    else:
        obj.pop("status", None)
