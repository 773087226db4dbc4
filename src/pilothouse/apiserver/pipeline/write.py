"""Write: one change of one object on its way through the pipeline."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pilothouse.api.machinery.resource import Resource, Subresource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.pipeline.rounds import Rounds
from pilothouse.store.interface import Turn


class Operation(StrEnum):
    """What is done to the object, as admission names it."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    CONNECT = "CONNECT"


@dataclass(slots=True, eq=False)
class Write:
    """What is written, by whom, in place of what. Stages change `new`; nobody changes `old`, which is as stored."""

    exchange: Exchange
    resource: Resource[Any]
    operation: Operation
    namespace: str
    name: str
    """Empty while a generated name is not yet given."""
    new: JsonObject | None = None
    """The object to be: None for a deletion. For a virtual subresource (binding, eviction, token) what was posted."""
    old: JsonObject | None = None
    """The object as stored: None for a creation."""
    subresource: Subresource | None = None
    options: JsonObject = field(default_factory=dict)
    """CreateOptions, UpdateOptions, PatchOptions or DeleteOptions as read from query and body."""
    dry_run: bool = False
    turn: Turn | None = None
    """What writes it, where servers that share a store must agree on what is given to it."""
    entries: list[JsonObject] | None = None
    """What managedFields become, where the change itself has settled that: by an apply."""
    rounds: Rounds | None = None
    """Whether mutating admission is to see it a second time; None until somebody may want that."""
    charged: bool = False
    """Whether quotas have been charged for a new object, which is done once however often its storing is tried."""

    @property
    def part(self) -> str:
        """The subresource's name; empty for the object itself."""
        return self.subresource.name if self.subresource is not None else ""
