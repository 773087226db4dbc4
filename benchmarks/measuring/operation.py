"""An operation of the API server: how it is asked for, what may be spent on it, and its row in the table."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from itertools import count

from measuring.server import CLIENTS, Server
from measuring.table import marked, missed, row, shown

HTTP, HTTP2 = "HTTP/1.1", "HTTP/2"

Work = Callable[[Server, int], Awaitable[object]]


@dataclass(frozen=True)
class Operation:
    """One line of the table. Its numbers never come twice."""

    name: str
    rounds_of: int
    """How many of it make a round."""
    work: Work
    budget: str = ""
    upstream: str = ""
    over_http2: str = ""
    """The budget where it is asked for over HTTP/2."""
    less: Work | None = None
    """What belongs to the work and not to its cost, measured by itself and taken off."""
    clients: int = CLIENTS
    shared_by: int = 1
    """How many there are to share the cost."""
    around: Callable[[Server], AbstractAsyncContextManager[object]] = lambda _: nullcontext()
    """What is there meanwhile."""
    numbers: Iterator[int] = field(default_factory=count)

    async def cost(self, server: Server, rounds: int) -> float:
        """Seconds of the server's CPU for one, in the cheapest of some rounds."""
        aside = await self._best(server, self.less, rounds) if self.less is not None else 0.0
        async with self.around(server):
            return (await self._best(server, self.work, rounds) - aside) / self.shared_by

    async def repeat(self, server: Server, going_on: Callable[[], bool]) -> None:
        """Do it as long as it is wanted."""
        async with self.around(server):
            while going_on():
                await server.cost(self.numbers, self.rounds_of, self.work, self.clients)

    async def _best(self, server: Server, work: Work, rounds: int) -> float:
        return min([await server.cost(self.numbers, self.rounds_of, work, self.clients) for _ in range(rounds)])


@dataclass(frozen=True)
class Measured:
    """What an operation cost over one protocol."""

    operation: Operation
    protocol: str
    server: Server
    cost: str
    budget: str

    @property
    def missed(self) -> float:
        """How often it costs its budget; 0 without one."""
        return missed(self.cost, self.budget)


async def measure(operation: Operation, servers: dict[str, Server], rounds: int) -> list[Measured]:
    """Measure over each protocol, and print the row."""
    found = []
    for protocol, server in servers.items():
        budget = operation.over_http2 if protocol == HTTP2 else operation.budget
        found.append(Measured(operation, protocol, server, shown(await operation.cost(server, rounds)), budget))
    budgets = operation.budget + (f"; {operation.over_http2}" if operation.over_http2 else "")
    row(operation.name, operation.upstream, budgets, *(marked(each.cost, each.budget) for each in found))
    return found
