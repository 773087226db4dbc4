"""Chance, injected: names, uids and jitter come from one generator, so that a seed replays a whole cluster."""

import os
import random  # noqa: TID251 - this is the one place
from collections.abc import MutableSequence, Sequence
from typing import TypeVar

T = TypeVar("T")

_PORTION, _PORTIONS = 16, 64
"""How many bytes one draw takes at most, and how many draws are fetched at once."""
_SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""Letters of generated names: no vowels and no look-alikes, so that no word appears by accident."""


class _KernelsRandom(random.Random):
    """The kernel's randomness, fetched for many at once: a call of the kernel costs more than all the rest."""

    def __init__(self) -> None:
        super().__init__()
        self._portions: list[bytes] = []
        self._pid = 0

    def getrandbits(self, k: int, /) -> int:
        """So many bits."""
        size = (k + 7) // 8
        portion = self._portion() if size <= _PORTION else os.urandom(size)
        return int.from_bytes(portion[:size], "little") >> (8 * size - k)

    def random(self) -> float:
        """A number from 0 up to and without 1."""
        return self.getrandbits(53) / (1 << 53)

    def seed(self, *_: object) -> None:
        """Nothing to seed."""

    def _portion(self) -> bytes:
        """One that nobody else gets: not another thread, and not a process that was forked."""
        if self._pid != (pid := os.getpid()):
            self._pid, self._portions = pid, []
        try:
            return self._portions.pop()
        except IndexError:
            page = os.urandom(_PORTION * _PORTIONS)
            self._portions += [page[at : at + _PORTION] for at in range(_PORTION, len(page), _PORTION)]
            return page[:_PORTION]


class Chance:
    """A source of choices. Never for keys or tokens: those come from `secrets`."""

    def __init__(self, seed: int | None = None) -> None:
        self._random = _KernelsRandom() if seed is None else random.Random(seed)  # noqa: S311 - names and jitter

    def uid(self) -> str:
        """A random UUID (RFC 9562, version 4) as text."""
        bits = self._random.getrandbits(128)
        bits = bits & ~(0xF << 76) | (4 << 76)
        bits = bits & ~(0x3 << 62) | (2 << 62)
        text = f"{bits:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def suffix(self, length: int = 5) -> str:
        """Letters to append to a generateName."""
        number = self._random.getrandbits(8 * length + 32)
        letters = []
        for _ in range(length):
            number, position = divmod(number, len(_SUFFIX_ALPHABET))
            letters.append(_SUFFIX_ALPHABET[position])
        return "".join(letters)

    def uniform(self, low: float, high: float) -> float:
        """A number between `low` and `high`."""
        return self._random.uniform(low, high)

    def below(self, bound: int) -> int:
        """A whole number from 0 up to and without `bound`."""
        return self._random.randrange(bound)

    def choice(self, options: Sequence[T]) -> T:
        """One of `options`."""
        return self._random.choice(options)

    def shuffle(self, items: MutableSequence[T]) -> None:
        """Reorder `items` in place."""
        self._random.shuffle(items)
