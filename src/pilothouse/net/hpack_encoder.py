"""Heads of HTTP/2, compressed the simplest way: names and statuses of the fixed table, all else as it is.

No table of what was said before is kept, so a field is the same bytes whenever it is sent, and can be made once.
Source: RFC 7541, sections 5 and 6, appendix A.
"""

from functools import lru_cache

from hpack.table import HeaderTable

NO_TABLE = b"\x20"
"""What the first head begins with: we keep no table. So we need not heed what size of one the other side allows."""
_NAMES = {name: index for index, (name, _) in reversed(list(enumerate(HeaderTable.STATIC_TABLE, 1)))}
_STATUSES = {int(value): index for index, (name, value) in enumerate(HeaderTable.STATIC_TABLE, 1) if name == b":status"}


def integer(number: int, mask: int, start: int = 0) -> bytes:
    """A number in the bits of `mask`, and in more bytes when it does not fit; `start` has the bits above."""
    if number < mask:
        return bytes((start | number,))
    found, number = bytearray((start | mask,)), number - mask
    while number >= 0x80:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def string(text: bytes) -> bytes:
    """A text with its length."""
    return integer(len(text), 0x7F) + text


@lru_cache(maxsize=256)
def name(text: bytes) -> bytes:
    """What a field begins with that goes into no table."""
    index = _NAMES.get(text)
    return integer(index, 0x0F) if index else b"\0" + string(text)


@lru_cache(maxsize=512)
def status(number: int) -> bytes:
    """The first field of an answer."""
    index = _STATUSES.get(number)
    return integer(index, 0x7F, 0x80) if index else name(b":status") + string(b"%d" % number)
