"""BoundedMemo: answers that are kept until there are too many; then all are found out anew.

To read it is to read a dictionary, which is what counts where every request asks: no order of use is kept, and a whole
memo that is forgotten once in thousands of new questions costs less than that order would.
"""

from collections.abc import Hashable
from typing import TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class BoundedMemo(dict[K, V]):
    """Answers by question. What is put in by `keep` is bounded."""

    __slots__ = ("_most",)

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def keep(self, question: K, answer: V) -> V:
        """Remember the answer; the same."""
        if len(self) >= self._most:
            self.clear()
        self[question] = answer
        return answer
