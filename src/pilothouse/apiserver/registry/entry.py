"""Entry: one object in the watch cache, as bytes, with the few facts that selectors need."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import orjson

from pilothouse.api.machinery.resource import Resource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.registry import record
from pilothouse.store.interface import Record

T = TypeVar("T")

_NO_LABELS: Mapping[str, str] = {}


class Entry:
    """An object at one revision. Its other forms (rows, metadata, watch frames) are made on first use and kept."""

    __slots__ = ("fields", "head", "key", "labels", "name", "namespace", "revision", "stored", "variants")

    def __init__(
        self, *, key: str, head: bytes, stored: bytes, revision: int, namespace: str, name: str,
        labels: Mapping[str, str], fields: Mapping[str, str],
    ) -> None:  # fmt: skip
        self.key = key
        self.head = head
        self.stored = stored
        """The very bytes that the store holds: an object is in memory once."""
        self.revision = revision
        self.namespace = namespace
        self.name = name
        self.labels = labels
        self.fields = fields
        self.variants: dict[Any, Any] = {}

    @property
    def wire(self) -> bytes:
        """The object as it goes out, with its resourceVersion."""
        return record.wire(self.head, self.stored, self.revision)

    @property
    def parts(self) -> tuple[bytes, memoryview]:
        """The same in two parts, of which the long one is the store's: what a list of thousands is made of."""
        begin = b'%b"resourceVersion":"%d",' % (self.head, self.revision)
        return begin, memoryview(self.stored)[len(self.head) :]

    def decode(self) -> JsonObject:
        """A fresh copy of the object, the caller's to change."""
        obj: JsonObject = orjson.loads(self.wire)
        return obj

    def kept(self) -> JsonObject:
        """The object, decoded once and nobody's to change: for the few that are asked for again and again."""
        return self.variant("decoded", Entry.decode)

    def at(self, revision: int) -> "Entry":
        """The same object under a later revision: the last state of what was deleted."""
        return Entry(
            key=self.key, head=self.head, stored=self.stored, revision=revision, namespace=self.namespace,
            name=self.name, labels=self.labels, fields=self.fields,
        )  # fmt: skip

    def variant(self, form: Any, make: Callable[["Entry"], T]) -> T:
        """Another form of the object, made once. Who asks for one form always makes the same of it."""
        made: T | None = self.variants.get(form)
        if made is None:
            made = self.variants[form] = make(self)
        return made


def make_entry(resource: Resource[Any], head: bytes, stored: Record, obj: JsonObject) -> Entry:
    """The entry of a stored record whose decoded form is `obj`."""
    metadata = obj["metadata"]
    namespace, name = metadata.get("namespace", ""), metadata["name"]
    fields = {"metadata.name": name, "metadata.namespace": namespace}
    for field, read in resource.selectable_fields.items():
        fields[field] = read(obj)
    return Entry(
        key=stored.key, head=head, stored=stored.value, revision=stored.revision,
        namespace=namespace, name=name, labels=metadata.get("labels") or _NO_LABELS, fields=fields,
    )  # fmt: skip
