"""Versions: the same object as other API versions show it, for entries whose fields are those of another version.

A write happens in one version. What it changed is known there at once; for an entry in another version both objects
are converted and compared again. An entry of a version that is no longer served goes, as its fields mean nothing now.
"""

from collections.abc import Callable
from dataclasses import dataclass

from pilothouse.api.machinery.managed_fields.fields import Fields, without
from pilothouse.api.machinery.managed_fields.walk import Changes, compare
from pilothouse.api.machinery.schema import Schema
from pilothouse.api.machinery.view import JsonObject

Conversion = Callable[[JsonObject], JsonObject]
"""Makes a new object, and leaves the one it is given as it was."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a kind: its schema, and the way there from the version of the write and back."""

    schema: Schema
    there: Conversion
    back: Conversion


Versions = Callable[[str], Version | None]
"""The version with this apiVersion; None where it is not served."""


class Comparisons:
    """What differs between two objects, in whichever version is asked for. Fields below `ignored` do not count."""

    def __init__(
        self,
        old: JsonObject | None,
        new: JsonObject,
        schema: Schema,
        api_version: str,
        *,
        ignored: Fields | None = None,
        versions: Versions | None = None,
    ) -> None:
        self._old = old
        self._new = new
        self._ignored = ignored
        self._versions = versions
        self.own = self._without(compare(schema, old, new))
        """In the version of the write."""
        self._known: dict[str, Changes | None] = {api_version: self.own}

    def at(self, api_version: str) -> Changes | None:
        """In that version; None where it is not served."""
        if api_version not in self._known:
            self._known[api_version] = self._compare(api_version)
        return self._known[api_version]

    def _compare(self, api_version: str) -> Changes | None:
        if self._versions is None:
            return self.own
        version = self._versions(api_version)
        if version is None:
            return None
        old = None if self._old is None else version.there(self._old)
        return self._without(compare(version.schema, old, version.there(self._new)))

    def _without(self, changes: Changes) -> Changes:
        if not self._ignored:
            return changes
        return Changes(without(changes.changed, self._ignored), without(changes.removed, self._ignored))
