"""The messages of the API: number, JSON name, presence and type of every field.

The table is data (`api/data/protobuf_messages.tsv`, made by `tools/derive_protobuf_messages.py`): a block a message,
its name first (`core.v1.Pod`), then a line a field. A `+` after the presence says that JSON shows the field even when
it is zero or empty. Most messages are never asked for; a block is read when it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib.resources import files

PACKAGES = {"": "core", "internal.apiserver.k8s.io": "apiserverinternal"}
"""Groups whose messages are not named after the first part of the group's name."""
_META = "meta.v1"


class Presence(Enum):
    """What Go has in a field's place, and so what zero means."""

    POINTER = "pointer"
    """Unset and zero differ: zero is written, unset is not."""
    VALUE = "value"
    """Always on the wire, zero or not."""
    REPEATED = "repeated"
    MAP = "map"
    """Texts to values of the type; sorted on the wire."""
    INLINE = "inline"
    """A message on the wire whose fields are the outer object's own in JSON."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message."""

    number: int
    name: str
    presence: Presence
    type: str
    """string, bool, int32, int64, double, bytes; time, microTime, quantity, intOrString; raw for any JSON inside; a
    message's name; with `[]` in front, a message of that many items."""
    shown: bool = False
    """Whether JSON has it even when it is zero or empty."""


@cache
def _blocks() -> Mapping[str, str]:
    """The lines of every message by its name."""
    text = files("pilothouse.api.data").joinpath("protobuf_messages.tsv").read_text()
    return dict(block.partition("\n")[::2] for block in text.rstrip("\n").split("\n\n"))


@cache
def fields_of(name: str) -> tuple[Field, ...]:
    """The fields of a message by number; every `List` has its metadata and its items. Raises LookupError."""
    block = _blocks().get(name)
    if block is not None:
        return tuple(_field(line) for line in block.splitlines())
    item = name.removesuffix("List")
    if item == name or item not in _blocks():
        raise LookupError(f"no message {name}")
    return (
        Field(1, "metadata", Presence.VALUE, f"{_META}.ListMeta", shown=True),
        Field(2, "items", Presence.REPEATED, item, shown=True),
    )


def _field(line: str) -> Field:
    number, name, presence, kind = line.split("\t")
    return Field(int(number), name, Presence(presence.rstrip("+")), kind, shown=presence.endswith("+"))


@cache
def message_of(api_version: str, kind: str) -> str:
    """The message of a kind; empty where none is known. Options and the like are of every group and version."""
    group, _, version = api_version.rpartition("/")
    package = PACKAGES.get(group) or group.partition(".")[0]
    for name in (f"{package}.{version}.{kind}", f"{_META}.{kind}"):
        if name in _blocks() or name.removesuffix("List") in _blocks():
            return name
    return ""


def message_named(definition: str) -> str:
    """The message of an OpenAPI definition: `core.v1.Pod` of `io.k8s.api.core.v1.Pod`; empty where none is known."""
    name = ".".join(definition.split(".")[-3:])
    return name if definition.startswith(("io.k8s.api.", "io.k8s.apimachinery.")) and name in _blocks() else ""
