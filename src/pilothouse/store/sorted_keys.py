"""Keys in order, fast to insert, to remove and to read by prefix.

A list of sorted chunks of at most `_CHUNK` keys: an insertion moves the keys of one chunk, not of the whole store, and
a listing is a few slices. A plain sorted list moves a megabyte a write at 200,000 keys.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable

_CHUNK = 512


class SortedKeys:
    """A sorted set of strings, in the order of their code points (which is that of their UTF-8 bytes)."""

    __slots__ = ("_chunks", "_firsts")

    def __init__(self, keys: Iterable[str] = ()) -> None:
        ordered = sorted(keys)
        half = _CHUNK // 2
        self._chunks = [ordered[at : at + half] for at in range(0, len(ordered), half)] or [[]]
        self._firsts = [chunk[0] for chunk in self._chunks[1:]]
        """The first key of every chunk but the first, which takes whatever comes before."""

    def __len__(self) -> int:
        return sum(map(len, self._chunks))

    def add(self, key: str) -> None:
        """Insert `key`, which is not there."""
        at = self._chunk(key)
        chunk = self._chunks[at]
        insort(chunk, key)
        if len(chunk) > _CHUNK:
            half = len(chunk) // 2
            self._chunks[at : at + 1] = [chunk[:half], chunk[half:]]
            self._firsts.insert(at, chunk[half])

    def remove(self, key: str) -> None:
        """Remove `key`, which is there."""
        at = self._chunk(key)
        chunk = self._chunks[at]
        del chunk[bisect_left(chunk, key)]
        if not chunk and len(self._chunks) > 1:
            del self._chunks[at]
            del self._firsts[max(at - 1, 0)]

    def below(self, prefix: str, *, start: str = "", limit: int = 0) -> tuple[list[str], int]:
        """Return the keys that begin with `prefix` and are not before `start`, at most `limit`, and how many follow."""
        begin = self._position(max(prefix, start))
        end = _end_of(prefix)
        stop = self._position(end) if end else (len(self._chunks) - 1, len(self._chunks[-1]))
        total = self._between(begin, stop)
        wanted = min(limit, total) if limit else total
        return self._slice(begin, wanted), total - wanted

    def _chunk(self, key: str) -> int:
        """Return the index of the chunk where `key` is or belongs: that of the last first key not after it."""
        at = bisect_left(self._firsts, key)
        return at + 1 if at < len(self._firsts) and self._firsts[at] == key else at

    def _position(self, key: str) -> tuple[int, int]:
        at = self._chunk(key)
        return at, bisect_left(self._chunks[at], key)

    def _between(self, begin: tuple[int, int], stop: tuple[int, int]) -> int:
        if stop <= begin:
            return 0
        return sum(map(len, self._chunks[begin[0] : stop[0]])) + stop[1] - begin[1]

    def _slice(self, begin: tuple[int, int], count: int) -> list[str]:
        at, offset = begin
        keys: list[str] = []
        while len(keys) < count:
            keys += self._chunks[at][offset : offset + count - len(keys)]
            at, offset = at + 1, 0
        return keys


def _end_of(prefix: str) -> str:
    """Return the least string after everything that begins with `prefix`; empty when nothing comes after."""
    kept = prefix.rstrip("\U0010ffff")
    return kept and kept[:-1] + chr(ord(kept[-1]) + 1)
