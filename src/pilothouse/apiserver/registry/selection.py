"""Which entries a list or watch wants: namespace, label selector and field selector, read from the query."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pilothouse.api.machinery.errors import BadRequest
from pilothouse.api.machinery.resource import Resource
from pilothouse.api.machinery.selectors import (
    FieldSelector,
    LabelSelector,
    parse_field_selector,
    parse_label_selector,
)
from pilothouse.apiserver.registry.entry import Entry
from pilothouse.apiserver.registry.resource_cache import ResourceCache, Wanted
from pilothouse.apiserver.request_info import RequestInfo


@dataclass(frozen=True, slots=True)
class Selection:
    """A namespace (empty for all) and what labels and fields must be; None where anything will do."""

    namespace: str
    labels: LabelSelector | None = None
    fields: FieldSelector | None = None

    @property
    def everything(self) -> bool:
        """Whether the namespace alone decides."""
        return self.labels is None and self.fields is None

    @property
    def wanted(self) -> Wanted | None:
        """A field that every wanted entry has with this value."""
        for field, operator, value in self.fields.requirements if self.fields else ():
            if operator in ("=", "=="):
                return field, value
        return None

    def matches(self, entry: Entry) -> bool:
        """Whether the entry is wanted."""
        if self.namespace and entry.namespace != self.namespace:
            return False
        if self.labels is not None and not self.labels.matches(entry.labels):
            return False
        return self.fields is None or self.fields.matches(entry.fields)

    def among(self, cache: ResourceCache, start: str = "") -> Iterator[Entry]:
        """The wanted entries in key order, by an index where one helps."""
        if self.everything:
            return cache.select(self.namespace, start)
        return (entry for entry in self._candidates(cache, start) if self.matches(entry))

    def _candidates(self, cache: ResourceCache, start: str) -> Iterator[Entry]:
        for field, operator, value in self.fields.requirements if self.fields else ():
            if operator in ("=", "=="):
                found = cache.indexed(field, value)
                if found is not None:
                    return (entry for entry in found if entry.key >= start)
        return cache.select(self.namespace, start)


def selection_of(info: RequestInfo, resource: Resource[Any]) -> Selection:
    """Read the selectors. Raises BadRequest for one that cannot be parsed or names a field that cannot be selected."""
    labels = fields = None
    try:
        if text := info.value("labelSelector"):
            labels = parse_label_selector(text)
        if text := info.value("fieldSelector"):
            fields = parse_field_selector(text)
    except ValueError as error:
        raise BadRequest(str(error)) from error
    for field, _, _ in fields.requirements if fields else ():
        known = field in resource.selectable_fields or field == "metadata.name"
        if not (known or (field == "metadata.namespace" and resource.namespaced)):
            raise BadRequest(f"field label not supported: {field}")
    if fields and resource.stored_fields:
        names = resource.stored_fields
        fields = FieldSelector(
            [wanted._replace(field=names.get(wanted.field, wanted.field)) for wanted in fields.requirements]
        )
    return Selection(info.namespace if resource.namespaced else "", labels, fields)
