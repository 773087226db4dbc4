"""Conflicts: what somebody applies with another value than others have set, and how they are told.

Source: KEP-555 and the conflict page of the server-side apply documentation; the words are upstream's.
"""

from dataclasses import dataclass
from typing import Any

import orjson

from pilothouse.api.machinery.errors import Conflict
from pilothouse.api.machinery.managed_fields.entries import UPDATE, Entry
from pilothouse.api.machinery.managed_fields.fields import Fields, difference, path_text, paths


@dataclass(frozen=True, slots=True)
class Clash:
    """The fields of one entry that the applied configuration changes."""

    entry: Entry
    fields: Fields


class ApplyConflict(Conflict):
    """Others have set what is applied with another value. `clashes` are theirs."""

    def __init__(self, clashes: list[Clash]) -> None:
        self.clashes = sorted(clashes, key=lambda clash: _identity(clash.entry))
        causes = [
            {"reason": "FieldManagerConflict", "message": f"conflict with {_name(clash.entry)}", "field": path}
            for clash in self.clashes
            for path in _paths(clash)
        ]
        super().__init__(_message(self.clashes, causes), details={"causes": causes})

    def beyond(self, allowed: Fields) -> "ApplyConflict | None":
        """The conflicts about other fields than these; None when there are none."""
        clashes = [Clash(one.entry, rest) for one in self.clashes if (rest := difference(one.fields, allowed))]
        return ApplyConflict(clashes) if clashes else None


def _paths(clash: Clash) -> list[str]:
    return [path_text(path) for path in paths(clash.fields)]


def _message(clashes: list[Clash], causes: list[dict[str, Any]]) -> str:
    if len(causes) == 1:
        return f"Apply failed with 1 conflict: {causes[0]['message']}: {causes[0]['field']}"
    lines: list[str] = []
    for clash in clashes:
        lines.append(f"conflicts with {_name(clash.entry)}:")
        lines += [f"- {path}" for path in _paths(clash)]
    return f"Apply failed with {len(causes)} conflicts: " + "\n".join(lines)


def _name(entry: Entry) -> str:
    owner = entry.owner
    name = f'"{owner.manager}"'
    if owner.subresource:
        name += f' with subresource "{owner.subresource}"'
    return f"{name} using {entry.api_version}" if owner.operation == UPDATE else name


def _identity(entry: Entry) -> bytes:
    """What upstream knows the owner by, and sorts by."""
    owner = entry.owner
    told = {"manager": owner.manager, "operation": owner.operation, "apiVersion": owner.api_version,
            "subresource": owner.subresource}  # fmt: skip
    return orjson.dumps({key: value for key, value in told.items() if value})
