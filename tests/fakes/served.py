"""An API server in process and in virtual time, bare of access control, and the ConfigMaps of one namespace."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import cache
from typing import Any

import orjson

from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.schema import Schemas
from pilothouse.apiserver.server import ApiServer
from pilothouse.client.transport import Answer, HandlerTransport, StreamedAnswer
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.store.memory import MemoryStore
from pilothouse.testing.loop import run as run_virtual

MAPS = "/api/v1/namespaces/default/configmaps"


@cache
def schemas() -> Schemas:
    return Schemas()


class Api:
    def __init__(self, server: ApiServer, store: MemoryStore, clock: LoopClock) -> None:
        self.store = store
        self.clock = clock
        self.handle = server.handle
        self._transport = HandlerTransport(server.handle, None)

    async def ask(self, method: str, target: str, body: Any = None) -> tuple[int, Any]:
        sent = b"" if body is None else orjson.dumps(body)
        answer = await self._transport.send(method, target, {"content-type": "application/json"}, sent)
        return answer.status, orjson.loads(answer.body)

    async def send(self, method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """Any request, its answer as it comes."""
        return await self._transport.send(method, target, headers, body)

    def stream(
        self, method: str, target: str, headers: Mapping[str, str]
    ) -> AbstractAsyncContextManager[StreamedAnswer]:
        return self._transport.stream(method, target, headers)

    async def make(self, *names: str) -> list[str]:
        """Make ConfigMaps; their revisions."""
        found: list[str] = []
        for name in names:
            body = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": name}}
            status, made = await self.ask("POST", MAPS, body)
            assert status == 201, made
            found.append(made["metadata"]["resourceVersion"])
        return found

    async def list(self, query: str = "") -> tuple[int, Any]:
        return await self.ask("GET", f"{MAPS}?{query}")

    def watch(self, query: str = "") -> AbstractAsyncContextManager[StreamedAnswer]:
        return self._transport.stream("GET", f"{MAPS}?watch=1&{query}", {})


def run(story: Callable[[Api], Awaitable[None]]) -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        async with MemoryStore(clock) as store, ApiServer(store, builtin(), schemas(), clock, chance) as server:
            server.assemble()
            await story(Api(server, store, clock))

    run_virtual(main)


def events_of(piece: bytes) -> list[tuple[str, str, int]]:
    """What a piece of a watch tells: type, name, revision."""
    found = [orjson.loads(line) for line in piece.splitlines()]
    return [
        (
            event["type"],
            event["object"]["metadata"].get("name", ""),
            int(event["object"]["metadata"]["resourceVersion"]),
        )
        for event in found
    ]


async def rest(body: AsyncIterator[bytes]) -> list[tuple[str, str, int]]:
    """All that a watch has still to tell, until it ends."""
    return [event async for piece in body for event in events_of(piece)]
