"""What keeps a whole pod from going on, such as a volume: tried again soon, told less and less often.

The events that one pod may have are few: 25 at once, then one in five minutes (`client/events.py`). A trouble told with
every try would use them up, and nobody would hear that it is over. The first tries follow each other quickly: what is
missing is often made right after the pod. Upstream waits 0.5 s after a failed mount, growing to 2 min 2 s, and tells
each time; we tell at that pace and try more often.
"""

import re

from pilothouse.runtime.backoff import Growth
from pilothouse.runtime.clock import Instant

TRIES = Growth(0.5, 5.0)
TELLS = Growth(0.5, 122.0)
_ID = re.compile(r"[0-9a-f]{12,}")
"""Of a sandbox: each try has another."""


class Trouble:
    """One pod's."""

    def __init__(self) -> None:
        self.over()

    def over(self) -> None:
        """It worked, or nothing has failed yet."""
        self._what = ("", "")
        self._tries = 0
        self._told = 0
        self._tell_at: Instant = 0.0

    def met(self, reason: str, message: str, now: Instant) -> bool:
        """Count one more failure; whether to tell of it."""
        self._tries += 1
        what = (reason, _ID.sub("", message))
        if self._what != what:
            self._what, self._told, self._tell_at = what, 0, now
        if now < self._tell_at:
            return False
        self._tell_at = now + TELLS.wait(self._told)
        self._told += 1
        return True

    def retry_at(self, now: Instant) -> Instant:
        """When to try again after the last failure."""
        return now + TRIES.wait(max(self._tries - 1, 0))
