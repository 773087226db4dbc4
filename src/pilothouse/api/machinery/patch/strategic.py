"""Strategic merge patch: a merge patch that knows from the schema how lists merge.

A list with strategy `merge` and a merge key is a map in disguise: items with the same key merge, new ones are added. A
list of plain values with that strategy is a set. All other lists are replaced. Directives in the patch say more:

    $patch: delete | replace              in an object, or in an item of a merging list
    $retainKeys: [...]                    only these fields of the object stay
    $deleteFromPrimitiveList/F: [...]     take these values out of the list F
    $setElementOrder/F: [...]             the order of the items of F, which may be absent from the patch

Order: $setElementOrder before the order in the patch before the order in the document. Source: the design "Preserve
order in strategic merge patch", the API conventions, and apimachinery/pkg/util/strategicpatch for what they leave
open. Nothing is changed in place; what the patch does not touch is shared with the document.
"""

from collections.abc import Hashable, Iterable, Mapping
from typing import Any, Protocol

from pilothouse.api.machinery.errors import BadRequest, Invalid, StatusError
from pilothouse.api.machinery.patch.json import REJECTED
from pilothouse.api.machinery.patch.order import are_objects, by_key, hashable, in_order
from pilothouse.api.machinery.view import JsonObject

_MARKER = "$patch"
_RETAIN = "$retainKeys"
_DELETE = "$deleteFromPrimitiveList"
_ORDER = "$setElementOrder"


class Node(Protocol):
    """What the patch asks of a schema node."""

    @property
    def properties(self) -> Mapping[str, Any]:
        """The nodes of the fields of an object."""
        ...

    @property
    def additional(self) -> Any:
        """The node of the values of a map."""
        ...

    @property
    def items(self) -> Any:
        """The node of the items of a list."""
        ...

    @property
    def patch_strategy(self) -> tuple[str, ...]:
        """merge, replace, retainKeys."""
        ...

    @property
    def patch_merge_key(self) -> str:
        """The field that identifies an item of a merging list."""
        ...


def apply_strategic_patch(doc: JsonObject, patch: Any, schema: Node) -> JsonObject:
    """The document after the patch. Raises BadRequest, Invalid, or a StatusError (500) as upstream does."""
    if not isinstance(patch, dict):
        kind = {list: "array", str: "string", bool: "bool", type(None): "null"}.get(type(patch), "number")
        words = f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"
        raise BadRequest(f"error decoding patch: {words}")
    return _merge_object(doc, patch, schema)


def _merge_object(doc: JsonObject, patch: JsonObject, schema: Node | None) -> JsonObject:
    """One object with its patch."""
    if _MARKER in patch:
        return _replaced_or_deleted(patch)
    result = _retained(doc, patch)
    ordered = _merge_ordered_lists(result, patch, schema)
    for key, value in patch.items():
        if key == _RETAIN or key.startswith(_ORDER) or key in ordered:
            continue
        if key.startswith(_DELETE):
            _delete_values(result, _field_of(key, _DELETE), value)
        elif value is None:
            result.pop(key, None)
        else:
            result[key] = _merge_field(result.get(key), value, _property(schema, key))
    return result


def _merge_field(before: Any, value: Any, schema: Node | None) -> Any:
    """One field with what the patch has for it."""
    replace = schema is not None and "replace" in schema.patch_strategy
    if isinstance(value, dict) and isinstance(before, dict):
        return value if replace else _merge_object(before, value, schema)
    if isinstance(value, list) and isinstance(before, list):
        if schema is not None and "merge" in schema.patch_strategy:
            return _merge_list(before, value, schema)
        return value
    return _without_directives(value)


def _merge_list(before: list[Any], patch: list[Any], schema: Node) -> list[Any]:
    """A merging list with its patch."""
    if not before and not patch:
        return before
    if not are_objects(before, patch):
        return _merge_values(before, patch)
    key = schema.patch_merge_key
    if not key:
        raise StatusError("cannot merge lists without merge key")
    before, patch = _item_directives(before, patch, key)
    merged = list(before)
    places = by_key(merged, key)
    for item in patch:
        identity = hashable(_key_value(item, key))
        found = places.get(identity)
        if found is None:
            places[identity] = len(merged)
            merged.append(_without_directives(item))
        else:
            merged[found] = _merge_object(merged[found], item, schema.items)
    return in_order(merged, patch, before, key)


def _merge_values(before: list[Any], patch: list[Any]) -> list[Any]:
    """A list of plain values is a set."""
    return in_order(list(dict.fromkeys([*before, *patch])), patch, before, "")


def _item_directives(before: list[Any], patch: list[Any], key: str) -> tuple[list[Any], list[Any]]:
    """Carry out `$patch` in the items of the patch; what is left of the list and of the patch."""
    plain: list[Any] = []
    gone: set[Hashable] = set()
    replace = False
    for item in patch:
        directive = item.get(_MARKER)
        if _MARKER not in item:
            _key_value(item, key)
            plain.append(item)
        elif directive == "delete":
            gone.add(hashable(_key_value(item, key)))
        elif directive == "replace":
            replace = True
        elif directive == "merge":
            raise StatusError("merging lists cannot yet be specified in the patch")
        else:
            raise StatusError(f"unknown patch type: {directive} in map: {item}")
    if replace:
        return [], plain
    return ([old for old in before if hashable(old.get(key)) not in gone] if gone else before), plain


def _merge_ordered_lists(result: JsonObject, patch: JsonObject, schema: Node | None) -> frozenset[str]:
    """Merge and order the lists that have a `$setElementOrder`. Returns their names: they are done."""
    done: set[str] = set()
    for directive, order in patch.items():
        if not directive.startswith(_ORDER):
            continue
        field = _field_of(directive, _ORDER)
        if not isinstance(order, list):
            raise BadRequest("invalid patch format of setElementOrder list")
        before, items = result.get(field), patch.get(field)
        for value in (before, items):
            if value is not None and not isinstance(value, list):
                raise StatusError(f"expected a list for {field}")
        node = _property(schema, field)
        key = node.patch_merge_key if node is not None else ""
        if items:
            _check_order(items, order, key)
        if before is None and items is None:
            continue
        if items is not None:
            done.add(field)
        merged = before if items is None else _merge_field(before, items, node)
        if merged:
            result[field] = in_order(merged, order, before or [], key if isinstance(merged[0], dict) else "")
        else:
            result[field] = merged
    return frozenset(done)


def _check_order(items: list[Any], order: list[Any], key: str) -> None:
    """The items of the patch must all be in the order list, and in that order."""
    wanted = iter(order)
    for item in items:
        if isinstance(item, dict) and _MARKER in item:
            continue
        if not any(_identity(item, key) == _identity(other, key) for other in wanted):
            raise StatusError(f"The order in patch list:\n{items}\n doesn't match {_ORDER} list:\n{order}\n")


def _identity(item: Any, key: str) -> Any:
    return _key_value(item, key) if key and isinstance(item, dict) else item


def _key_value(item: Any, key: str) -> Any:
    if not isinstance(item, dict) or key not in item:
        raise StatusError(f"map: {item} does not contain declared merge key: {key}")
    return item[key]


def _retained(doc: JsonObject, patch: JsonObject) -> JsonObject:
    """A copy of the document with the fields that `$retainKeys` names, or all."""
    if _RETAIN not in patch:
        return doc.copy()
    kept = patch[_RETAIN]
    if not isinstance(kept, list):
        raise BadRequest("invalid patch format of retainKeys")
    kept = frozenset(map(hashable, kept))
    for key, value in patch.items():
        if value is not None and not key.startswith("$") and key not in kept:
            raise BadRequest("invalid patch format of retainKeys")
    return {key: value for key, value in doc.items() if key in kept}


def _replaced_or_deleted(patch: JsonObject) -> JsonObject:
    directive = patch[_MARKER]
    if directive == "replace":
        return {key: value for key, value in patch.items() if key != _MARKER}
    if directive == "delete":
        return {}
    raise StatusError(f"unknown patch type: {directive} in map: {patch}")


def _delete_values(result: JsonObject, field: str, values: Any) -> None:
    """Take the values out of a list of plain values."""
    if values is None:
        result.pop(field, None)
        return
    before = result.get(field)
    if not isinstance(values, list) or not isinstance(before, list):
        return
    if any(isinstance(value, list) for value in (*before, *values)):
        raise Invalid(REJECTED)
    gone = frozenset(map(hashable, values))
    result[field] = [value for value in before if hashable(value) not in gone]


def _field_of(directive: str, prefix: str) -> str:
    """`F` of `$setElementOrder/F`."""
    head, slash, field = directive.partition("/")
    if head != prefix or not slash:
        what = "primitive list" if prefix == _DELETE else "setElementOrder list"
        raise BadRequest(f"invalid patch format of {what}")
    return field


def _property(schema: Node | None, name: str) -> Node | None:
    """The node of a field, or of a map's values; None where the schema knows nothing."""
    if schema is None:
        return None
    found: Node | None = schema.properties.get(name) or schema.additional
    return found


def _without_directives(value: Any) -> Any:
    """What is added to the document: without nulls, directives, and items that were to be deleted."""
    if isinstance(value, dict):
        return {key: _without_directives(inner) for key, inner in _plain(value) if not _is_deletion(inner)}
    if isinstance(value, list):
        return [_without_directives(inner) for inner in value if not _is_deletion(inner)]
    return value


def _plain(value: JsonObject) -> Iterable[tuple[str, Any]]:
    return (
        (key, inner)
        for key, inner in value.items()
        if inner is not None and key not in (_MARKER, _RETAIN) and not key.startswith((_DELETE, _ORDER))
    )


def _is_deletion(value: Any) -> bool:
    return isinstance(value, dict) and value.get(_MARKER) == "delete"
