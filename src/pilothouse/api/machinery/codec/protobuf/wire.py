"""The bytes of protobuf: tags, varints, lengths (https://protobuf.dev/programming-guides/encoding/)."""

from collections.abc import Iterator

from pilothouse.api.machinery.codec.syntax import MalformedError

VARINT, FIXED64, BYTES, START_GROUP, END_GROUP, FIXED32 = 0, 1, 2, 3, 4, 5
_FIXED = {FIXED64: 8, FIXED32: 4}
_UNEXPECTED_END = "unexpected EOF"
Entry = tuple[int, int, int | bytes]
"""Number, wire type, and an int for a varint, bytes for the rest."""


def entries(data: bytes) -> Iterator[Entry]:
    """What a message is made of, groups passed over as upstream does. Raises MalformedError in upstream's words."""
    at, end, groups = 0, len(data), 0
    while at < end:
        key = data[at]
        if key < 128:  # as almost all are
            at += 1
        else:
            key, at = read_varint(data, at)
        number, wire = key >> 3, key & 7
        value: int | bytes
        if wire == VARINT:
            value, at = read_varint(data, at)
        elif wire == BYTES:
            size = data[at] if at < end else 128
            if size < 128:
                at += 1
            else:
                size, at = read_varint(data, at)
            if size >> 63:
                raise MalformedError("proto: negative length found during unmarshaling")
            value, at = data[at : at + size], at + size
        elif wire in _FIXED:
            value, at = data[at : at + _FIXED[wire]], at + _FIXED[wire]
        elif wire in (START_GROUP, END_GROUP):
            groups += 1 if wire == START_GROUP else -1
            if groups < 0:
                raise MalformedError("proto: wiretype end group for non-group")
            continue
        else:
            raise MalformedError(f"proto: illegal wireType {wire}")
        if at > end:
            raise MalformedError(_UNEXPECTED_END)
        if number <= 0:
            raise MalformedError(f"proto: illegal tag {number} (wire type {wire})")
        if not groups:
            yield number, wire, value
    if groups:
        raise MalformedError(_UNEXPECTED_END)


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """The number at a place, 64 bits of it, and the place after it."""
    value = shift = 0
    end = len(data)
    while at < end:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & 0xFFFFFFFFFFFFFFFF, at
        shift += 7
        if shift >= 64:
            raise MalformedError("proto: integer overflow")
    raise MalformedError(_UNEXPECTED_END)


def varint(number: int) -> bytes:
    """A number's bytes; negative ones take ten."""
    if 0 <= number < 128:
        return bytes((number,))
    number &= 0xFFFFFFFFFFFFFFFF
    written = bytearray()
    while number > 127:
        written.append(number & 127 | 128)
        number >>= 7
    written.append(number)
    return bytes(written)


def tag(number: int, wire: int) -> bytes:
    """What stands before a value."""
    return varint(number << 3 | wire)


def field(number: int, value: bytes) -> bytes:
    """A value with its length, as texts, bytes and messages are."""
    return tag(number, BYTES) + varint(len(value)) + value
