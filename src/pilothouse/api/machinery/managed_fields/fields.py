"""Sets of fields as trees, in the wire form of FieldsV1.

    {"f:metadata": {"f:labels": {".": {}, "f:app": {}}}, "f:spec": {"f:replicas": {}}}

A key is one step of a path: `f:` a field, `k:` a list item by its keys, `v:` a list item by its value. A node without
children is a member of the set; a node with children is one where it has the key `.`. So above are metadata.labels,
metadata.labels.app and spec.replicas, but not metadata and spec. Trees are shared and therefore never changed.
Source: the FieldsV1 page of the API reference, structured-merge-diff's fieldpath package.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson

Fields = dict[str, Any]

MEMBER: Fields = {}
"""A node that is a member and has no children."""


def union(one: Fields, other: Fields) -> Fields:
    """What is in one or the other."""
    if one is other or not other:
        return one
    if not one:
        return other
    merged = dict(one)
    changed = False
    for key, theirs in other.items():
        ours = one.get(key)
        joined = theirs if ours is None else _join(ours, theirs)
        if joined is not ours:
            merged[key] = joined
            changed = True
    return in_order(merged) if changed else one


def union_of(sets: Sequence[Fields]) -> Fields:
    """What is in any of them. Two by two, so that many small ones do not each pay for what came before."""
    while len(sets) > 1:
        pairs = zip(sets[::2], [*sets[1::2], MEMBER], strict=False)
        sets = [union(one, other) for one, other in pairs]
    return sets[0] if sets else MEMBER


def _join(ours: Fields, theirs: Fields) -> Fields:
    """The union of two nodes, where a node without children is a member."""
    if not theirs:
        return with_self(ours)
    if not ours:
        return with_self(theirs)
    return union(ours, theirs)


def with_self(node: Fields) -> Fields:
    """The node as a member."""
    return node if not node or "." in node else {".": MEMBER, **node}


def difference(one: Fields, other: Fields) -> Fields:
    """What is in one and not in the other. The same object where that is everything; empty where nothing is left."""
    kept: Fields | None = None
    for key in other if len(other) <= len(one) else one:
        ours, theirs = one.get(key), other.get(key)
        if ours is None or theirs is None:
            continue
        left = _left(ours, theirs)
        if left is ours:
            continue
        if kept is None:
            kept = dict(one)
        if left is None:
            del kept[key]
        else:
            kept[key] = left
    return one if kept is None else kept


def _left(ours: Fields, theirs: Fields) -> Fields | None:
    """What is left of a node; None for nothing."""
    if ours == theirs:  # at C speed, where both have all of it
        return None
    if not ours:
        return None if not theirs or "." in theirs else ours
    if not theirs:
        if "." not in ours:
            return ours
        rest = {key: node for key, node in ours.items() if key != "."}
        return rest or None
    left = difference(ours, theirs)
    if left is ours:
        return ours
    return None if not left else MEMBER if len(left) == 1 and "." in left else left


def intersection(one: Fields, other: Fields) -> Fields:
    """What is in both."""
    both: Fields = {}
    for key, ours in one.items():
        theirs = other.get(key)
        if theirs is None:
            continue
        if not ours or not theirs:
            if (not ours or "." in ours) and (not theirs or "." in theirs):
                both[key] = MEMBER
        elif rest := intersection(ours, theirs):
            both[key] = MEMBER if len(rest) == 1 and "." in rest else rest
    return both


def paths(fields: Fields) -> Iterator[tuple[str, ...]]:
    """The members as paths, in upstream's order: at each step the members there, then what is below."""
    for key, node in fields.items():
        if key != "." and (not node or "." in node):
            yield (key,)
    for key, node in fields.items():
        for rest in paths(node):
            yield (key, *rest)


def path_text(path: tuple[str, ...]) -> str:
    """A path as messages show it: `.spec.ports[port=80,protocol="TCP"].name`."""
    return "".join(step_text(step) for step in path)


@lru_cache(maxsize=8192)
def step_text(step: str) -> str:
    """One step as messages show it."""
    kind, text = step[:2], step[2:]
    if kind == "f:":
        return f".{text}"
    if kind == "k:":
        return f"[{','.join(f'{name}={_shown(value)}' for name, value in orjson.loads(text).items())}]"
    return f"[={_shown(orjson.loads(text))}]" if kind == "v:" else f"[{text}]"


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{';'.join(f'{name}={_shown(part)}' for name, part in value.items())}}}"
    if isinstance(value, list):
        return f"[{','.join(_shown(part) for part in value)}]"
    return orjson.dumps(value).decode()


def without(fields: Fields, excluded: Fields) -> Fields:
    """What is not at or below a member of `excluded`."""
    kept: Fields = {}
    for key, node in fields.items():
        gone = excluded.get(key)
        if gone is None:
            kept[key] = node
        elif not gone or "." in gone:
            continue
        elif not node:
            kept[key] = node
        elif rest := without(node, gone):
            kept[key] = MEMBER if len(rest) == 1 and "." in rest else rest
    return kept


def in_order(fields: Fields) -> Fields:
    """The node with its keys in the order of the wire: itself, fields, items by keys, items by value."""
    return {key: fields[key] for key in sorted(fields, key=_rank)} if len(fields) > 1 else fields


@lru_cache(maxsize=8192)
def _rank(key: str) -> tuple[Any, ...]:
    kind, text = key[:2], key[2:]
    if kind == "f:":
        return 1, text
    if kind == "k:":
        return 2, tuple((name, *_value_rank(value)) for name, value in orjson.loads(text).items())
    if kind == "v:":
        return 3, *_value_rank(orjson.loads(text))
    return (4, int(text)) if kind == "i:" else (0,)


def _value_rank(value: Any) -> tuple[int, Any]:
    if isinstance(value, bool):
        return 2, value
    if isinstance(value, int | float):
        return 0, value
    return (1, value) if isinstance(value, str) else (3, orjson.dumps(value, option=orjson.OPT_SORT_KEYS))


def value_key(value: Any) -> str:
    """The step to a list item by its value."""
    return f"v:{orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()}"


def item_key(keys: Mapping[str, Any]) -> str:
    """The step to a list item by its keys."""
    return f"k:{orjson.dumps(keys, option=orjson.OPT_SORT_KEYS).decode()}"


def read_fields(raw: Any) -> Fields:
    """A tree that a client sent, in canonical form. Raises ValueError for what is none."""
    if not isinstance(raw, dict):
        raise ValueError("fields are an object")
    return in_order({_canonical(key): read_fields(node) for key, node in raw.items() if _is_known(key)})


def _is_known(key: str) -> bool:
    """Whether the step is of a kind we know; others are dropped, as upstream does."""
    return key == "." or key[:2] in ("f:", "k:", "v:", "i:")


@lru_cache(maxsize=8192)
def _canonical(key: str) -> str:
    """The step as we would write it."""
    if key[:2] == "k:":
        keys = orjson.loads(key[2:])
        if not isinstance(keys, dict):
            raise ValueError(f"{key} names no keys")
        return item_key(keys)
    if key[:2] == "v:":
        return value_key(orjson.loads(key[2:]))
    return f"i:{int(key[2:])}" if key[:2] == "i:" else key
