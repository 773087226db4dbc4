"""The Huffman code of HPACK, read a byte at a time; short texts, which repeat, are remembered.

The code is the `hpack` library's table, which goes half a byte at a time: two of its steps make one of ours, found
when it is first needed. Source: RFC 7541, section 5.2 and appendix B.
"""

from functools import lru_cache

from hpack.huffman_table import HUFFMAN_COMPLETE, HUFFMAN_EMIT_SYMBOL, HUFFMAN_FAIL, HUFFMAN_TABLE

_SHORT = 256
_ENDS = frozenset(state for state, flags, _ in HUFFMAN_TABLE if flags & HUFFMAN_COMPLETE and not flags & HUFFMAN_FAIL)
"""Where a text may end: between two letters, the last byte filled up with ones."""
_steps: dict[int, tuple[int, bytes]] = {}
"""By state and byte: the state after it, and what has been read. There are 65,536 at most."""


class HuffmanError(ValueError):
    """Nothing that the code says."""


def decode(data: bytes) -> bytes:
    """The text that `data` stands for. Raises HuffmanError."""
    return _remembered(data) if len(data) <= _SHORT else _decode(data)


def _decode(data: bytes) -> bytes:
    state = 0
    found = []
    for byte in data:
        step = _steps.get(state << 8 | byte)
        if step is None:
            step = _steps[state << 8 | byte] = _step(state, byte)
        state, text = step
        found.append(text)
    if state not in _ENDS:
        raise HuffmanError("a text that ends amidst a letter")
    return b"".join(found)


def _step(state: int, byte: int) -> tuple[int, bytes]:
    text = b""
    for half in (byte >> 4, byte & 15):
        state, flags, letter = HUFFMAN_TABLE[state << 4 | half]
        if flags & HUFFMAN_FAIL:
            raise HuffmanError("no letter of the code")
        if flags & HUFFMAN_EMIT_SYMBOL:
            text += bytes((letter,))
    return state, text


_remembered = lru_cache(maxsize=2048)(_decode)
