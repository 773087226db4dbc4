"""Heads of HTTP/2 requests and answers, decompressed: HPACK with its table of what came before.

Clients put nearly all that they say into the table and then name it by its place, so the fields of a table are shared
between requests: the same tuple, again and again. (The `hpack` library takes ten times as long, mostly by its
logging.) Source: RFC 7541.
"""

from hpack.table import HeaderTable

from pilothouse.net.hpack_huffman import HuffmanError, decode

Field = tuple[bytes, bytes]

_STATIC: tuple[Field, ...] = ((b"", b""), *HeaderTable.STATIC_TABLE)
_LAST = len(_STATIC) - 1
TABLE_SIZE = 4096
"""How much a table may hold unless agreed otherwise, which we do not."""
_ENTRY = 32
"""What each entry counts for besides its name and value."""
_LONGEST = 28
"""Bits of a number that is written in several bytes, without the last of them."""


class HpackError(ValueError):
    """What came is not HPACK: the connection cannot go on, for the table is not what the other side thinks."""


class TooLarge(HpackError):
    """A head that means more than we take."""


class HpackDecoder:
    """The table of one connection. Heads that mean more than `most` bytes are refused."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._table: list[Field] = []
        """The oldest first."""
        self._held = 0
        self._room = TABLE_SIZE

    @property
    def tableless(self) -> bool:
        """Whether the other side keeps nothing in the table, so that a head means the same whenever it comes."""
        return self._room == 0

    def decode(self, block: bytes) -> list[Field]:
        """The fields of a head. Raises HpackError, after which there is no going on."""
        try:
            return self._decode(block)
        except IndexError:
            raise HpackError("a head that ends too early, or names what is not in the table") from None
        except HuffmanError as error:
            raise HpackError(str(error)) from None

    def _decode(self, block: bytes) -> list[Field]:
        fields: list[Field] = []
        table = self._table
        at, end = 0, len(block)
        while at < end:
            first = block[at]
            if 0x80 < first < 0xFF:
                at += 1
                index = first & 0x7F
                fields.append(_STATIC[index] if index <= _LAST else table[_LAST - index])
            elif first >= 0x80:
                index, at = _number(block, at, 0x7F)
                fields.append(self._entry(index))
            elif 0x20 <= first < 0x40:
                if fields:
                    raise HpackError("a change of the table amidst a head")
                room, at = _number(block, at, 0x1F)
                self._resize(room)
            else:
                field, at = self._literal(block, at)
                if first >= 0x40:
                    self._keep(field)
                fields.append(field)
        self._measure(fields, len(block))
        return fields

    def _measure(self, fields: list[Field], size: int) -> None:
        """No entry is larger than the table, no text twice as long as it came: so most heads are known to be small."""
        if len(fields) * TABLE_SIZE + 2 * size > self._most:
            total = sum(len(name) + len(value) + _ENTRY for name, value in fields)
            if total > self._most:
                raise TooLarge(f"a head of more than {self._most} bytes")

    def _entry(self, index: int) -> Field:
        """Raises IndexError when there is none."""
        if index > _LAST:
            return self._table[_LAST - index]
        if not index:
            raise IndexError
        return _STATIC[index]

    def _literal(self, block: bytes, at: int) -> tuple[Field, int]:
        index, at = _number(block, at, 0x3F if block[at] >= 0x40 else 0x0F)
        if index:
            name = self._entry(index)[0]
        else:
            name, at = _string(block, at)
        value, at = _string(block, at)
        return (name, value), at

    def _keep(self, field: Field) -> None:
        self._table.append(field)
        self._held += len(field[0]) + len(field[1]) + _ENTRY
        if self._held > self._room:
            self._evict()

    def _resize(self, room: int) -> None:
        if room > TABLE_SIZE:
            raise HpackError("a table that is larger than allowed")
        self._room = room
        self._evict()

    def _evict(self) -> None:
        count = 0
        while self._held > self._room:
            name, value = self._table[count]
            self._held -= len(name) + len(value) + _ENTRY
            count += 1
        del self._table[:count]


def _number(block: bytes, at: int, mask: int) -> tuple[int, int]:
    """A number that begins in some bits of a byte, and where it ends. Raises IndexError."""
    number = block[at] & mask
    at += 1
    if number < mask:
        return number, at
    shift = 0
    while (byte := block[at]) >= 0x80:
        if shift == _LONGEST:
            raise HpackError("a number without end")
        number += (byte & 0x7F) << shift
        shift += 7
        at += 1
    return number + (byte << shift), at + 1


def _string(block: bytes, at: int) -> tuple[bytes, int]:
    coded = block[at] & 0x80
    size, at = _number(block, at, 0x7F)
    end = at + size
    if end > len(block):
        raise HpackError("a text that ends too early")
    text = block[at:end]
    return decode(text) if coded else text, end
