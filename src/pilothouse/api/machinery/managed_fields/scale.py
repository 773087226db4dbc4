"""Entries of a workload as its scale shows them, and back: the one field that both have is the number of replicas.

Source: apimachinery/pkg/util/managedfields/scalehandler.go. As there, an entry that comes from the scale has no time
of its own.
"""

from dataclasses import replace

from pilothouse.api.machinery.managed_fields.entries import APPLY, Entries, Entry, Owner, decoded, encoded
from pilothouse.api.machinery.managed_fields.fields import MEMBER, Fields, difference, intersection
from pilothouse.api.machinery.view import JsonObject

API_VERSION = "autoscaling/v1"
_REPLICAS: Fields = {"f:spec": {"f:replicas": MEMBER}}


def to_scale(listed: list[JsonObject], path: tuple[str, ...]) -> list[JsonObject]:
    """The entries that have the replicas of the workload, as entries of its scale."""
    found: Entries = {}
    for entry in decoded(listed, ours=True).values():
        if intersection(entry.fields, _at(path)):
            owner = _spoken(entry.owner, API_VERSION)
            found[owner] = Entry(owner, API_VERSION, _REPLICAS, entry.time)
    return encoded(found)


def to_parent(
    listed: list[JsonObject], scale: list[JsonObject], path: tuple[str, ...], api_version: str
) -> list[JsonObject]:
    """The workload's entries after a write to its scale, whose entries are `scale` now."""
    having = {
        _spoken(owner, api_version): entry
        for owner, entry in decoded(scale).items()
        if intersection(entry.fields, _REPLICAS)
    }
    found: Entries = {}
    for owner, entry in decoded(listed, ours=True).items():
        left = entry.fields if owner in having else difference(entry.fields, _at(path))
        if left:
            found[owner] = replace(entry, fields=left)
    for owner in having:
        if owner not in found:
            found[owner] = Entry(owner, api_version, _at(path))
    return encoded(found)


def _spoken(owner: Owner, api_version: str) -> Owner:
    return owner if owner.operation == APPLY else owner._replace(api_version=api_version)


def _at(path: tuple[str, ...]) -> Fields:
    fields: Fields = MEMBER
    for name in reversed(path):
        fields = {f"f:{name}": fields}
    return fields
