"""JSON patch (RFC 6902): a list of operations, all of which succeed or none.

Behaves as upstream's library does (gopkg.in/evanphx/json-patch.v4), not as the RFC says where they differ: `replace`
sets a key that is not there, negative indices count from the end, `test` takes an absent value for null. A failed
operation answers 422 with a fixed text, as upstream's API server does; what really failed is the error's cause.

The document is copied along the paths that change, each container at most once; the rest is shared with the input.
"""

import re
from collections.abc import Callable
from typing import Any

import orjson

from pilothouse.api.machinery.errors import BadRequest, Invalid, RequestEntityTooLarge
from pilothouse.api.machinery.view import JsonObject

MOST_OPERATIONS = 10_000
MOST_COPIED_BYTES = 3 * 1024 * 1024
"""How much the `copy` operations of one patch may add, or a few of them would fill the memory."""
REJECTED = "the server rejected our request due to an error in our request"

_INDEX = re.compile(r"[+-]?[0-9]{1,18}")
_KNOWN = frozenset({"op", "path", "from", "value"})
_ABSENT: Any = object()


class OperationError(ValueError):
    """Why an operation could not be carried out."""


class FailedTest(OperationError):
    """A `test` operation found another value."""


def apply_json_patch(doc: JsonObject, operations: Any) -> JsonObject:
    """The document after all operations. Raises BadRequest, RequestEntityTooLarge or Invalid."""
    _check_shape(operations)
    draft = _Draft(doc)
    try:
        for operation in operations:
            draft.carry_out(operation or {})
    except OperationError as error:
        raise Invalid(REJECTED) from error
    if not isinstance(draft.root, dict):
        raise Invalid(REJECTED) from OperationError("the document is no longer an object")
    return draft.root


def unknown_members(operations: list[Any]) -> list[str]:
    """What strict field validation says about the operations; what is none is refused when they are carried out."""
    return [
        f'json patch unknown field "[{position}].{name}"'
        for position, operation in enumerate(operations)
        if isinstance(operation, dict)
        for name in operation
        if name not in _KNOWN
    ]


def _check_shape(operations: Any) -> None:
    """Refuse what cannot be read as operations, in the words of Go's decoder."""
    start = "error decoding patch: json: cannot unmarshal"
    if not isinstance(operations, list):
        raise BadRequest(f"{start} {_described(operations)} into Go value of type []handlers.jsonPatchOp")
    for operation in operations:
        if not isinstance(operation, dict | None):
            raise BadRequest(f"{start} {_described(operation)} into Go value of type handlers.jsonPatchOp")
        for name in ("op", "path", "from"):
            value = operation.get(name) if operation else None
            if not isinstance(value, str | None):
                field = f"jsonPatchOp.{name}"
                raise BadRequest(f"{start} {_described(value)} into Go struct field {field} of type string")
    if len(operations) > MOST_OPERATIONS:
        why = f"The allowed maximum operations in a JSON patch is {MOST_OPERATIONS}, got {len(operations)}"
        raise RequestEntityTooLarge(f"Request entity is too large: {why}")


def _described(value: Any) -> str:
    for kind, name in ((bool, "bool"), (str, "string"), (dict, "object"), (list, "array")):
        if isinstance(value, kind):
            return name
    return "number"


class _Draft:
    """The document as far as the operations have come."""

    def __init__(self, root: Any) -> None:
        self.root = root
        self.owned: dict[int, Any] = {}
        """Containers made by this patch, which may be changed in place."""
        self.copied = 0

    def carry_out(self, operation: JsonObject) -> None:
        """Carry out one operation."""
        name = operation.get("op") or "unknown"
        actions: dict[str, Callable[[JsonObject], None]] = {
            "add": self.add, "remove": self.remove, "replace": self.replace, "move": self.move, "copy": self.copy,
            "test": self.test,
        }  # fmt: skip
        action = actions.get(name)
        if action is None:
            raise OperationError(f"Unexpected kind: {name}")
        action(operation)

    def add(self, operation: JsonObject) -> None:
        """Put a value in; in a list, before the one that is there."""
        path = _pointer(operation, "path")
        self.insert(path, operation.get("value"), "add", f'doc is missing path: "{path}"')

    def remove(self, operation: JsonObject) -> None:
        """Take a value out."""
        path = _pointer(operation, "path")
        self.take(path, "remove", f'doc is missing path: "{path}"')

    def replace(self, operation: JsonObject) -> None:
        """Put a value in the place of another."""
        path, value = _pointer(operation, "path"), operation.get("value")
        if not path:
            if not isinstance(value, dict | list):
                raise OperationError("replace operation value must be object or array")
            self.root = value
            return
        where = f"replace operation does not apply: doc is missing path: {path}"
        container, key = self.find(path, where, writable=True)
        if isinstance(container, dict):
            container[key] = value
        else:
            container[_position(container, key)] = value

    def move(self, operation: JsonObject) -> None:
        """Take a value out here and put it in there."""
        source = _pointer(operation, "from")
        value = self.take(source, "move", f"doc is missing from path: {source}")
        path = _pointer(operation, "path")
        self.insert(path, value, "move", f"doc is missing destination path: {path}")

    def copy(self, operation: JsonObject) -> None:
        """Put a value in that is also somewhere else."""
        source = _pointer(operation, "from")
        container, key = self.find(source, f"copy operation does not apply: doc is missing from path: {source}")
        value = _look_up(container, key)
        text = orjson.dumps(None if value is _ABSENT else value)
        self.copied += len(text)
        if self.copied > MOST_COPIED_BYTES:
            raise OperationError(
                f"Unable to complete the copy, the accumulated size increase of copy operations is {self.copied}, "
                f"exceeding the limit {MOST_COPIED_BYTES}"
            )
        path = _pointer(operation, "path")
        self.insert(path, orjson.loads(text), "copy", f"doc is missing destination path: {path}")

    def test(self, operation: JsonObject) -> None:
        """Fail unless the value is the expected one."""
        path, expected = _pointer(operation, "path"), operation.get("value")
        if path:
            container, key = self.find(path, f"test operation does not apply: is missing path: {path}")
            value = _look_up(container, key)
        else:
            value = self.root
        if not _same(None if value is _ABSENT else value, expected):
            raise FailedTest(f"testing value {path} failed: test failed")

    def find(self, path: str, missing: str, *, writable: bool = False) -> tuple[Any, str]:
        """The container that holds, or would hold, what the path names, and the key within."""
        steps = path.split("/")[1:]
        if not steps:
            raise OperationError(f"{missing}: missing value")
        container = self.own(self.root) if writable else self.root
        if writable:
            self.root = container
        for step in steps[:-1]:
            key = _decoded(step)
            try:
                inner = _look_up(container, key)
            except OperationError:
                inner = None
            if not isinstance(inner, dict | list):
                raise OperationError(f"{missing}: missing value")
            if writable:
                inner = self.own(inner)
                container[key if isinstance(container, dict) else _position(container, key)] = inner
            container = inner
        return container, _decoded(steps[-1])

    def own(self, container: Any) -> Any:
        """The container, or a copy of it, that this patch may change."""
        if id(container) in self.owned:
            return container
        made = container.copy()
        self.owned[id(made)] = made
        return made

    def insert(self, path: str, value: Any, name: str, missing: str) -> None:
        """Add a value at a path."""
        container, key = self.find(path, f"{name} operation does not apply: {missing}", writable=True)
        if isinstance(container, dict):
            container[key] = value
        elif key == "-":
            container.append(value)
        else:
            container.insert(_position(container, key, room=1), value)

    def take(self, path: str, name: str, missing: str) -> Any:
        """Remove a value from a path and return it."""
        container, key = self.find(path, f"{name} operation does not apply: {missing}", writable=True)
        if isinstance(container, dict):
            if key not in container:
                where = f"error in {name} for path: '{path}'"
                raise OperationError(f"{where}: Unable to remove nonexistent key: {key}: missing value")
            return container.pop(key)
        return container.pop(_position(container, key))


def _pointer(operation: JsonObject, name: str) -> str:
    path = operation.get(name)
    if path is None:
        raise OperationError(f"{operation.get('op')} operation failed to decode {name}: missing value")
    return str(path)


def _decoded(step: str) -> str:
    return step.replace("~1", "/").replace("~0", "~") if "~" in step else step


def _position(items: list[Any], key: str, *, room: int = 0) -> int:
    """The index a key stands for. `room` is 1 where it may also be the end."""
    if not _INDEX.fullmatch(key):
        raise OperationError(f'strconv.Atoi: parsing "{key}": invalid syntax')
    position, size = int(key), len(items) + room
    if not -size <= position < size:
        raise OperationError(f"Unable to access invalid index: {position}: invalid index referenced")
    return position + size if position < 0 else position


def _look_up(container: Any, key: str) -> Any:
    if isinstance(container, dict):
        return container.get(key, _ABSENT)
    return container[_position(container, key)]


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON: true is not 1, and 1.0 is not 1."""
    return orjson.dumps(one, option=orjson.OPT_SORT_KEYS) == orjson.dumps(other, option=orjson.OPT_SORT_KEYS)
