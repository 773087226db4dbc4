"""Entry: one object in the watch cache, as bytes, with the few facts that selectors need."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from pilothouse.api.machinery.resource import Resource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.registry import record
from pilothouse.store.interface import Record

_NO_LABELS: Mapping[str, str] = {}


class Entry:
    """An object at one revision. Its other forms (rows, metadata, watch frames) are made on first use and kept."""

    __slots__ = ("fields", "head", "key", "labels", "name", "namespace", "revision", "variants", "wire")

    def __init__(
        self, *, key: str, head: bytes, wire: bytes, revision: int, namespace: str, name: str,
        labels: Mapping[str, str], fields: Mapping[str, str],
    ) -> None:  # fmt: skip
        self.key = key
        self.head = head
        self.wire = wire
        self.revision = revision
        self.namespace = namespace
        self.name = name
        self.labels = labels
        self.fields = fields
        self.variants: dict[Any, bytes] = {}

    def decode(self) -> JsonObject:
        """A fresh copy of the object, the caller's to change."""
        obj: JsonObject = orjson.loads(self.wire)
        return obj

    def at(self, revision: int) -> "Entry":
        """The same object under a later revision: the last state of what was deleted."""
        wired = record.with_revision(self.head, self.wire, revision)
        return Entry(
            key=self.key, head=self.head, wire=wired, revision=revision, namespace=self.namespace, name=self.name,
            labels=self.labels, fields=self.fields,
        )  # fmt: skip

    def variant(self, form: Any, make: Callable[["Entry"], bytes]) -> bytes:
        """Another form of the object, made once."""
        made = self.variants.get(form)
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
        key=stored.key, head=head, wire=record.wire(head, stored.value, stored.revision), revision=stored.revision,
        namespace=namespace, name=name, labels=metadata.get("labels") or _NO_LABELS, fields=fields,
    )  # fmt: skip
