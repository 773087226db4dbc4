"""The seats of one priority level, and the queues before them.

While seats are free and nobody waits, a request takes its seats and that is all. Else its flow is dealt a hand of the
queues, and it joins the emptiest of them; a seat that falls free goes to the request that would be done first if all
queues were served at once. Time that counts so is virtual: a queue's own runs on by the work that it has had done. A
flow that asks for much fills its own hand, and few others share it. Source: KEP-1040, "Fair Queuing for Server
Requests" and "Shuffle Sharding"; apiserver/pkg/util/flowcontrol/{fairqueuing/queueset,shufflesharding}.
"""

import asyncio
from collections import deque
from dataclasses import dataclass

from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.flowcontrol.demand import Demand
from pilothouse.runtime.clock import Clock

_GUESSED_SECONDS = 0.003
"""How long a request is thought to take before it is known."""
CONCURRENCY_LIMIT, QUEUE_FULL, TIME_OUT, CANCELLED = "concurrency-limit", "queue-full", "time-out", "cancelled"


class Rejected(Exception):
    """The level does not take the request. The argument says why, as the metric names it."""


@dataclass(slots=True, eq=False)
class Waiting:
    """A request in a queue."""

    seats: int
    future: asyncio.Future[None]


class Queue:
    """Requests in the order they came, and how far the queue's virtual time is."""

    __slots__ = ("executing", "index", "reached", "seats", "waiting")

    def __init__(self, index: int) -> None:
        self.index = index
        self.waiting: deque[Waiting] = deque()
        self.seats = 0
        """Seats that its waiting requests ask for."""
        self.executing = 0
        """Seats that its requests have."""
        self.reached = 0.0

    @property
    def active(self) -> bool:
        """Whether anything of it waits or runs."""
        return bool(self.waiting or self.executing)


class Seat:
    """What a request holds while it runs. `leave` gives it back."""

    __slots__ = ("_begin", "_level", "_queue", "_seats")

    def __init__(self, level: "QueueSet", seats: int, queue: Queue | None = None, begin: float = 0.0) -> None:
        self._level: QueueSet | None = level
        self._seats = seats
        self._queue = queue
        self._begin = begin

    def leave(self) -> None:
        """Give the seats back; once is enough."""
        level, self._level = self._level, None
        if level is not None:
            level.release(self._seats, self._queue, self._begin)


class QueueSet:
    """One priority level at work. `limit` is None for one that limits nobody.

    Who wants more seats than there are runs alone.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.limit: int | None = 0
        self.in_use = 0
        self.executing = 0
        """Requests that have seats."""
        self.waiting = 0
        self.demand = Demand(clock)
        self._queues: list[Queue] = []
        self._active: dict[Queue, None] = {}
        """Queues of which something waits or runs, those of an earlier configuration too."""
        self._count = 0
        self._hand = 0
        self._longest = 0
        self._robin = 0
        self._virtual = 0.0
        self._virtual_at = clock.monotonic()

    def configure(self, level: JsonObject) -> None:
        """Take on the spec of a PriorityLevelConfiguration. Queues that go are served until they are empty."""
        response = (level["spec"].get("limited") or {}).get("limitResponse") or {}
        queuing = response.get("queuing") or {}
        count = queuing.get("queues") or 0
        self._hand, self._longest = queuing.get("handSize") or 0, queuing.get("queueLengthLimit") or 0
        self._queues = self._queues[:count] + [Queue(index) for index in range(len(self._queues), count)]
        self._count = count

    def admit(self, seats: int) -> Seat | None:
        """Seats, when some are free and nobody waits for them; the way that nearly every request goes."""
        if self.limit is not None and (self.waiting or (self.executing and self.in_use + seats > self.limit)):
            return None
        self.in_use += seats
        self.executing += 1
        self.demand.add(seats)
        return Seat(self, seats)

    async def wait(self, seats: int, flow: int, seconds: float) -> Seat:
        """Queue for seats that `admit` did not have, for so long at most. Raises Rejected."""
        if not self._count:
            raise Rejected(CONCURRENCY_LIMIT)
        queue = self._chosen(flow)
        if len(queue.waiting) >= self._longest:
            raise Rejected(QUEUE_FULL)
        self._pass_time()
        if not queue.active:
            queue.reached = self._virtual
            self._active[queue] = None
        entry = Waiting(seats, asyncio.get_running_loop().create_future())
        queue.waiting.append(entry)
        queue.seats += seats
        self.waiting += 1
        self.demand.add(seats)
        self.dispatch()
        try:
            async with self._clock.timeout(seconds):
                await entry.future
        except BaseException as error:
            if entry.future.done() and not entry.future.cancelled():  # it got its seats as it gave up
                self.release(seats, queue, self._clock.monotonic())
            else:
                self._forget(queue, entry)
            if isinstance(error, TimeoutError):
                raise Rejected(TIME_OUT) from None
            raise
        return Seat(self, seats, queue, self._clock.monotonic())

    def release(self, seats: int, queue: Queue | None, begin: float) -> None:
        """A request is done."""
        self.in_use -= seats
        self.executing -= 1
        self.demand.add(-seats)
        if queue is not None:
            self._pass_time()
            queue.executing -= seats
            queue.reached += seats * (self._clock.monotonic() - begin - _GUESSED_SECONDS)
            self._retire(queue)
        if self.waiting:
            self.dispatch()

    def dispatch(self) -> None:
        """Give free seats to those who wait, in the order that fairness wants."""
        while self.waiting:
            queue = self._next()
            entry = queue.waiting[0]
            if entry.future.cancelled():  # whoever waited gives up, and is yet to notice
                self._drop(queue, entry)
                continue
            if self.limit is not None and self.executing and self.in_use + entry.seats > self.limit:
                return
            self._pass_time()
            queue.waiting.popleft()
            queue.seats -= entry.seats
            queue.executing += entry.seats
            queue.reached += entry.seats * _GUESSED_SECONDS
            self._robin = queue.index
            self.waiting -= 1
            self.in_use += entry.seats
            self.executing += 1
            entry.future.set_result(None)

    @property
    def idle(self) -> bool:
        """Whether nobody is here."""
        return not self.executing and not self.waiting

    def _chosen(self, flow: int) -> Queue:
        """Of the flow's hand the queue with the least to do."""
        return min(
            (self._queues[card] for card in deal(flow, self._count, self._hand)),
            key=lambda queue: (queue.seats, queue.executing),
        )

    def _next(self) -> Queue:
        """The queue whose first request would be done first; of equals the one after the last served."""
        robin, count = self._robin, max(self._count, 1)

        def order(queue: Queue) -> tuple[float, int, int]:
            end = queue.reached + queue.waiting[0].seats * _GUESSED_SECONDS
            return end, (queue.index - robin - 1) % count, queue.index

        return min((queue for queue in self._active if queue.waiting), key=order)

    def _pass_time(self) -> None:
        """Let virtual time run: as fast as the active queues get seats, each the same."""
        now = self._clock.monotonic()
        passed, self._virtual_at = now - self._virtual_at, now
        if self._active and passed > 0.0:
            wanted = sum(queue.seats + queue.executing for queue in self._active)
            self._virtual += passed * min(wanted, wanted if self.limit is None else self.limit) / len(self._active)

    def _retire(self, queue: Queue) -> None:
        """Nothing of a queue waits or runs any more, perhaps."""
        if not queue.active:
            self._active.pop(queue, None)

    def _forget(self, queue: Queue, entry: Waiting) -> None:
        """Somebody waits no more."""
        if entry in queue.waiting:
            self._drop(queue, entry)
        if self.waiting:
            self.dispatch()

    def _drop(self, queue: Queue, entry: Waiting) -> None:
        queue.waiting.remove(entry)
        queue.seats -= entry.seats
        self.waiting -= 1
        self.demand.add(-entry.seats)
        self._retire(queue)


def deal(flow: int, deck: int, hand: int) -> list[int]:
    """A hand of distinct cards of a deck, which the number alone decides, each as likely as another."""
    remainders = []
    for dealt in range(hand):
        flow, remainder = divmod(flow, deck - dealt)
        remainders.append(remainder)
    cards = []
    for dealt, card in enumerate(remainders):
        for earlier in reversed(remainders[:dealt]):
            if card >= earlier:
                card += 1
        cards.append(card)
    return cards
