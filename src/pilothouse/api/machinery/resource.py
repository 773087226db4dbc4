"""Resource: all the API server, the clients and the informers know of a kind, as data.

One file a kind makes one Resource; a CustomResourceDefinition makes the same object at run time. From it come routes,
discovery, OpenAPI, storage key, columns, RBAC verbs and informer type.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.names import dns_subdomain
from pilothouse.api.machinery.view import JsonObject, View
from pilothouse.runtime.clock import Instant

V = TypeVar("V", bound=View)

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the server-side table. `priority` above 0 shows with `-o wide` only."""

    name: str
    cell: Callable[[JsonObject, Instant], Any]
    """The cell's value (text, number or bool) from the object and the time of asking."""
    type: str = "string"
    format: str = ""
    description: str = ""
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Subresource:
    """A path below an object, such as `status` or `scale`."""

    name: str
    kind: str = ""
    """The kind it takes and returns; empty for the kind of its parent."""
    group: str | None = None
    version: str | None = None
    verbs: tuple[str, ...] = ("get", "patch", "update")
    scale: "ScalePaths | None" = None
    prepare: Callable[[JsonObject, JsonObject], None] | None = None
    """Takes from the stored object all that this path does not change; without it, all but status and metadata."""
    validate: Callable[[JsonObject, JsonObject, FieldErrors], None] | None = None
    """Rules for a write through this path; without it, the kind's `validate_status`."""


@dataclass(frozen=True, slots=True)
class ScalePaths:
    """Where a kind keeps what autoscaling/v1 Scale shows."""

    replicas: tuple[str, ...] = ("spec", "replicas")
    status_replicas: tuple[str, ...] = ("status", "replicas")
    selector: tuple[str, ...] = ("spec", "selector")


STATUS = Subresource("status")


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the server knows of a write beyond the object: when it is made, and by whom."""

    now: Instant
    username: str
    uid: str = ""
    groups: Sequence[str] = ()
    extra: Mapping[str, Sequence[str]] = field(default_factory=dict)


def _nothing(obj: JsonObject) -> None:
    """Change nothing."""


def _nothing_on_update(obj: JsonObject, old: JsonObject) -> None:
    """Change nothing."""


def _accept(obj: JsonObject, errors: FieldErrors) -> None:
    """Find no error."""


def _accept_update(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """Find no error."""


def _unchanged(obj: JsonObject) -> JsonObject:
    return obj


@dataclass(frozen=True, kw_only=True)
class Resource(Generic[V]):
    """A kind as it is served in one group and version. Functions get the object as a plain dict and may change it."""

    kind: type[V]
    group: str
    version: str
    plural: str
    singular: str = ""
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    subresources: tuple[Subresource, ...] = ()

    default: Callable[[JsonObject], None] = _nothing
    """Fill in what the user left out. Idempotent; runs before and after mutating admission."""
    prepare_for_create: Callable[[JsonObject], None] = _nothing
    """The strategy at creation: what a user may not set (status, say) is taken away or reset."""
    prepare_for_update: Callable[[JsonObject, JsonObject], None] = _nothing_on_update
    """The strategy at an update of the main resource, with the stored object as second argument."""
    stamp: Callable[[JsonObject, JsonObject | None, Stamp], None] | None = None
    """Note in the object when it was changed, or by whom: after the strategy, on every path. The second argument is the
    stored object, None at creation."""
    validate: Callable[[JsonObject, FieldErrors], None] = _accept
    """Everything beyond types and required metadata. Runs at creation and at update."""
    validate_create: Callable[[JsonObject, FieldErrors], None] = _accept
    """Rules for new objects alone, after `validate`."""
    validate_update: Callable[[JsonObject, JsonObject, FieldErrors], None] = _accept_update
    """Immutability and cross-version rules, after `validate`, with the stored object as second argument."""
    validate_status: Callable[[JsonObject, JsonObject, FieldErrors], None] = _accept_update
    """Rules for an update through the status subresource."""
    validate_name: Callable[[str], list[str]] = dns_subdomain
    """Says what is wrong with a name, in upstream's words; an empty list when nothing is."""
    warn: Callable[[JsonObject, JsonObject | None], list[str]] | None = None
    """What a writer is told of an object that is accepted; the second argument is None at creation."""
    deprecated: str = ""
    """What whoever uses the kind at all is told, by whichever verb."""
    generation: bool = True
    """Whether a change outside metadata and status counts up metadata.generation."""
    counted_metadata: tuple[str, ...] = ()
    """What of the metadata counts, too, where the main resource or its scale is written: annotations, labels."""
    create_on_update: bool = False
    """Whether PUT to a name that is not there creates it."""
    unconditional_update: bool = True
    """Whether PUT may leave out resourceVersion, and so overwrite whatever is there."""
    grace_period: Callable[[JsonObject, int | None], int] | None = None
    """Seconds between the request to delete an object and its end, from what was asked for; without it none."""
    orphans_dependents: bool = False
    """Whether a deletion that says nothing of dependents leaves them alone."""
    orphaning_warning: str = ""
    """What whoever deletes so is told."""
    answers_deleted_object: bool = False
    """Whether a completed deletion is answered with the object instead of a Status."""
    columns: tuple[Column, ...] = ()
    """Columns after Name; empty means Age alone."""
    row_conditions: Callable[[JsonObject], Sequence[JsonObject]] | None = None
    """What a table says of a whole row, such as that its pod has ended; clients may grey it."""
    selectable_fields: Mapping[str, Callable[[JsonObject], str]] = field(default_factory=dict)
    """Field selectors beyond metadata.name and metadata.namespace."""
    indexed_fields: tuple[str, ...] = ()
    """Selectable fields that the watch cache keeps an index of."""

    stored_as: tuple[str, str] | None = None
    """(group, version) this one is stored as, where that is another; None where it is the stored one."""
    stored_fields: Mapping[str, str] = field(default_factory=dict)
    """What selectable fields are called there, where that is otherwise."""
    to_storage: Callable[[JsonObject], JsonObject] = _unchanged
    from_storage: Callable[[JsonObject], JsonObject] = _unchanged

    @cached_property
    def name(self) -> str:
        """The kind's name, such as `Pod`."""
        return self.kind.__name__

    @cached_property
    def list_kind(self) -> str:
        """The list's kind, such as `PodList`."""
        return f"{self.name}List"

    @cached_property
    def api_version(self) -> str:
        """`apps/v1`, or `v1` for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @cached_property
    def api_path(self) -> str:
        """`/apis/apps/v1`, or `/api/v1` for the core group."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"

    @cached_property
    def qualified_name(self) -> str:
        """`deployments.apps`, or `pods` for the core group."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """The URL path of the collection, of one object, or of its subresource."""
        parts = [self.api_path]
        if self.namespaced and namespace:
            parts += ["namespaces", namespace]
        parts.append(self.plural)
        parts += [part for part in (name, subresource) if part]
        return "/".join(parts)

    def subresource(self, name: str) -> Subresource | None:
        """The subresource called `name`, if there is one."""
        return next((found for found in self.subresources if found.name == name), None)
