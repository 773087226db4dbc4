"""Schema: one node of the tree that describes a kind.

Nodes are shared: every plain string field of the whole API is one and the same node, and a definition that ten kinds
refer to is built once. That is safe because nobody can change one. A definition may contain itself (JSONSchemaProps
does), so the tree has loops: walk it along an object, never for its own sake.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

NO_PROPERTIES: Mapping[str, "Schema"] = MappingProxyType({})
ZeroClass = type[str] | type[bool] | type[int] | type[list[object]] | type[dict[str, object]]
NO_ZEROS: Mapping[str, ZeroClass] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Schema:
    """What one value may be. Equal nodes of one `Schemas` are identical unless they are definitions of their own."""

    name: str = ""
    """The definition's full name, such as io.k8s.api.core.v1.PodSpec; empty for a type written in place."""
    type: str = ""
    """object, array, string, integer, number, boolean; empty where anything goes."""
    format: str = ""
    """int32, int64, double, byte, date-time."""
    properties: Mapping[str, "Schema"] = field(default_factory=lambda: NO_PROPERTIES, repr=False)
    """The fields of an object that has a fixed set of them."""
    required: frozenset[str] = frozenset()
    zeros: Mapping[str, ZeroClass] = field(default_factory=lambda: NO_ZEROS, repr=False)
    """The fields that are left out when they are zero, each with the class of its zero; see `zeros`."""
    items: "Schema | None" = None
    """What the items of an array are."""
    additional: "Schema | None" = None
    """What the values of a map are."""
    int_or_string: bool = False
    quantity: bool = False
    preserve_unknown: bool = False
    """Whatever is below stays as it is: RawExtension, JSON, FieldsV1."""

    list_type: str = ""
    """atomic, set or map, as server-side apply merges it; empty counts as atomic."""
    list_map_keys: tuple[str, ...] = ()
    """The fields that identify an item where list_type is map."""
    map_type: str = ""
    """atomic or granular; empty counts as granular."""
    patch_strategy: tuple[str, ...] = ()
    """merge, replace, retainKeys: what a strategic merge patch does here."""
    patch_merge_key: str = ""
    """The field that identifies an item to a strategic merge patch."""
    kinds: tuple[tuple[str, str, str], ...] = field(default=(), repr=False)
    """(group, version, kind) of a definition that is a kind of its own."""

    @property
    def is_struct(self) -> bool:
        """Whether this is an object with a fixed set of fields, which may be empty."""
        return self.type == "object" and self.additional is None and not self.preserve_unknown

    @property
    def go_type(self) -> str:
        """How Go prints the type that upstream decodes this into, as error messages show it."""
        if self.int_or_string or self.quantity:
            return _go_name(self.name)
        if self.type == "array":
            return f"[]{self.items.go_type if self.items else 'interface {}'}"
        if self.type == "object":
            if self.additional is not None:
                return f"map[string]{self.additional.go_type}"
            return _go_name(self.name) if self.name else "map[string]interface {}"
        if self.type == "string":
            return "[]uint8" if self.format == "byte" else "string"
        if self.type == "integer":
            return self.format or "int64"
        return {"boolean": "bool", "number": "float64"}.get(self.type, "interface {}")

    @property
    def struct_name(self) -> str:
        """The last part of the definition's name, such as PodSpec."""
        return self.name.rpartition(".")[2]


def _go_name(name: str) -> str:
    """`v1.PodSpec` of `io.k8s.api.core.v1.PodSpec`."""
    return ".".join(name.split(".")[-2:])
