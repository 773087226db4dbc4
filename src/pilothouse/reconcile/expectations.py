"""Expectations: what a controller has done and not yet seen.

A controller that creates pods must not count them before its informer shows them, or it would create too many. It
writes down what it expects, and leaves an object alone until all of it was seen or five minutes are over. Upstream:
pkg/controller/controller_utils.go.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from pilothouse.client.key import Key
from pilothouse.runtime.clock import Clock

PATIENCE = 300.0


@dataclass(slots=True)
class _Expected:
    since: float
    creations: int = 0
    deletions: dict[Key, None] = field(default_factory=dict)


class Expectations:
    """What each owner's controller waits to see."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._expected: dict[Key, _Expected] = {}

    def expect_creations(self, owner: Key, count: int) -> None:
        """So many new objects will show."""
        self._entry(owner).creations += count

    def expect_deletions(self, owner: Key, keys: Iterable[Key]) -> None:
        """These objects will go, or be marked for deletion."""
        self._entry(owner).deletions.update(dict.fromkeys(keys))

    def created(self, owner: Key, count: int = 1) -> None:
        """New objects showed, or will not come."""
        expected = self._expected.get(owner)
        if expected is not None:
            expected.creations = max(0, expected.creations - count)

    def deleted(self, owner: Key, key: Key) -> None:
        """An object went, or will not go."""
        expected = self._expected.get(owner)
        if expected is not None:
            expected.deletions.pop(key, None)

    def forget(self, owner: Key) -> None:
        """The owner is gone."""
        self._expected.pop(owner, None)

    def satisfied(self, owner: Key) -> bool:
        """Whether everything was seen, or has been waited for long enough."""
        expected = self._expected.get(owner)
        if expected is None:
            return True
        if expected.creations or expected.deletions:
            return self._clock.monotonic() - expected.since > PATIENCE
        return True

    def patience(self, owner: Key) -> float:
        """Seconds after which `satisfied` will hold whatever is seen; 0 when it does."""
        if self.satisfied(owner):
            return 0.0
        return max(0.0, self._expected[owner].since + PATIENCE - self._clock.monotonic()) + 1.0

    def _entry(self, owner: Key) -> _Expected:
        """The entry of an owner, begun anew where the old one is done with."""
        if self.satisfied(owner):
            self._expected[owner] = _Expected(self._clock.monotonic())
        return self._expected[owner]
