"""Protobuf messages of a gRPC service, from a table: name, then `field:type=number`.

A missing type means string; `*` after it means repeated; `map` is map<string, string>. A table lists what is sent or
read, as protobuf skips unknown fields. `classes["PodSandboxConfig"](hostname="a", labels={...})` builds a message;
nested messages are given as plain dicts.
"""

from collections.abc import Iterator
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_Field = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "string": _Field.TYPE_STRING, "bytes": _Field.TYPE_BYTES, "bool": _Field.TYPE_BOOL, "int32": _Field.TYPE_INT32,
    "uint32": _Field.TYPE_UINT32, "int64": _Field.TYPE_INT64, "uint64": _Field.TYPE_UINT64,
}  # fmt: skip


def message_classes(package: str, messages: str, enums: str) -> dict[str, Any]:
    """The class of every message in the table, by its name."""
    pool = descriptor_pool.DescriptorPool()
    pool.Add(_file(package, messages, dict(rows(enums))))
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}"))
        for name, _ in rows(messages)
    }


def rows(text: str) -> Iterator[tuple[str, list[str]]]:
    """Names and cells of a table; an indented line continues the one before."""
    for row in text.strip().replace("\n    ", " ").splitlines():
        name, *cells = row.split()
        yield name, cells


def _file(package: str, messages: str, enums: dict[str, list[str]]) -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
    for name, values in enums.items():
        enum = file.enum_type.add(name=name)
        for number, value in enumerate(values):
            # Values of proto enumerations share the scope of their package, hence the prefix; only numbers travel.
            enum.value.add(name=f"{name}_{value}", number=number)
    for name, cells in rows(messages):
        message = file.message_type.add(name=name)
        for cell in cells:
            _add_field(package, message, cell, enums)
    return file


def _add_field(package: str, message: descriptor_pb2.DescriptorProto, cell: str, enums: dict[str, list[str]]) -> None:
    name, number = cell.split("=")
    name, _, kind = name.partition(":")
    field = message.field.add(name=name, number=int(number), label=_Field.LABEL_OPTIONAL)
    if kind.endswith("*"):
        field.label, kind = _Field.LABEL_REPEATED, kind[:-1]
    kind = kind or "string"
    if kind == "map":
        entry = message.nested_type.add(name=f"{''.join(part.title() for part in name.split('_'))}Entry")
        entry.options.map_entry = True
        entry.field.add(name="key", number=1, label=_Field.LABEL_OPTIONAL, type=_Field.TYPE_STRING)
        entry.field.add(name="value", number=2, label=_Field.LABEL_OPTIONAL, type=_Field.TYPE_STRING)
        field.label, field.type = _Field.LABEL_REPEATED, _Field.TYPE_MESSAGE
        field.type_name = f".{package}.{message.name}.{entry.name}"
    elif kind in _SCALARS:
        field.type = _SCALARS[kind]
    else:
        field.type = _Field.TYPE_ENUM if kind in enums else _Field.TYPE_MESSAGE
        field.type_name = f".{package}.{kind}"
