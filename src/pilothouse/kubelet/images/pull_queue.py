"""Pulls in turn: so many at once, the others in the order in which they came; the same pull is made once for all.

Who wants an image with a credential while it is being pulled with just that credential waits for this pull, and gets
what comes of it. When the pod that it was made for goes meanwhile, the next who waits makes it anew. A pull that comes
too soon after many others fails, for its back-off to spread them. Upstream: pkg/kubelet/images/puller.go, which pulls
anew for each pod, and helpers.go.
"""

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field

from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.cri.interface import Cri, CriError
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.rate_limit import TokenBucket

_Key = tuple[str, tuple[tuple[str, str], ...] | None]


@dataclass(frozen=True, slots=True)
class Pulled:
    """What came of a pull."""

    reference: str
    """What the name resolved to."""
    seconds: float
    """How long the runtime took."""


class TooManyPulls(CriError):
    """The registry is to be asked later."""

    def __init__(self) -> None:
        super().__init__("RESOURCE_EXHAUSTED", "pull QPS exceeded")

    def __str__(self) -> str:
        return self.message


@dataclass(slots=True)
class _Turn:
    """One image and credential."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0
    made: int = 0
    """How many pulls have come to an end."""
    outcome: Pulled | CriError | None = None


class PullQueue:
    """One for the node. `at_once` None: any number of pulls at a time; `pace` None: however quickly."""

    def __init__(self, cri: Cri, clock: Clock, at_once: int | None, pace: TokenBucket | None = None) -> None:
        self._cri = cri
        self._clock = clock
        self._room: AbstractAsyncContextManager[object] = asyncio.Semaphore(at_once) if at_once else nullcontext()
        self._pace = pace
        self._turns: dict[_Key, _Turn] = {}

    async def pull(
        self, image: str, auth: JsonObject | None, sandbox: JsonObject, *, again: bool = False
    ) -> Pulled:  # fmt: skip
        """Pull an image, or wait until it has been; `again`: it is the same pull with another credential.

        Raises CriError.
        """
        key = image, None if auth is None else tuple(sorted((name, str(value)) for name, value in auth.items()))
        turn = self._turns.setdefault(key, _Turn())
        made = turn.made
        turn.waiting += 1
        try:
            async with turn.lock:
                if turn.made == made:
                    turn.outcome = await self._pull(image, auth, sandbox, again=again)
                    turn.made += 1
                outcome = turn.outcome
        finally:
            turn.waiting -= 1
            if not turn.waiting:
                self._turns.pop(key, None)
        assert outcome is not None
        if isinstance(outcome, CriError):
            raise outcome
        return outcome

    async def _pull(
        self, image: str, auth: JsonObject | None, sandbox: JsonObject, *, again: bool
    ) -> Pulled | CriError:  # fmt: skip
        async with self._room:
            if self._pace is not None and not again and not self._pace.take():
                return TooManyPulls()
            began = self._clock.monotonic()
            try:
                found = await self._cri.pull_image(image, auth, sandbox)
            except CriError as error:
                return error
            return Pulled(found, self._clock.monotonic() - began)
