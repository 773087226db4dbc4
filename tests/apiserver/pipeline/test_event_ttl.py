"""Events go an hour after they were last written; nothing else does."""

from typing import Any

import orjson

from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.schema import Schemas
from pilothouse.apiserver.server import ApiServer
from pilothouse.client.transport import HandlerTransport
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.store.memory import MemoryStore
from pilothouse.testing.loop import run

EVENTS = "/api/v1/namespaces/default/events"
NEW_EVENTS = "/apis/events.k8s.io/v1/namespaces/default/events"
MAPS = "/api/v1/namespaces/default/configmaps"
JSON = {"content-type": "application/json"}
PATCH = {"content-type": "application/merge-patch+json"}


def event(name: str) -> dict[str, Any]:
    about = {"kind": "Pod", "name": "a", "namespace": "default"}
    return {
        "metadata": {"name": name, "namespace": "default"},
        "involvedObject": about,
        "reason": "R",
        "type": "Normal",
    }


def test_events_go() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with MemoryStore(clock) as store, ApiServer(store, builtin(), Schemas(), clock, chance) as server:
            server.assemble(event_ttl=100.0)
            transport = HandlerTransport(server.handle, None)

            async def status(method: str, target: str, body: Any = None, headers: dict[str, str] = JSON) -> int:
                encoded = b"" if body is None else orjson.dumps(body)
                return (await transport.send(method, target, headers, encoded)).status

            assert await status("POST", EVENTS, event("a")) == 201
            assert await status("POST", EVENTS, event("b")) == 201
            assert await status("POST", MAPS, {"metadata": {"name": "a"}}) == 201
            await clock.sleep(60)
            assert await status("PATCH", f"{EVENTS}/b", {"count": 2}, PATCH) == 200
            await clock.sleep(60)
            assert await status("GET", f"{EVENTS}/a") == 404
            assert await status("GET", f"{NEW_EVENTS}/b") == 200, "written a minute ago"
            await clock.sleep(60)
            assert await status("GET", f"{EVENTS}/b") == 404
            assert await status("GET", f"{MAPS}/a") == 200

    run(story)


def test_they_may_be_kept() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with MemoryStore(clock) as store, ApiServer(store, builtin(), Schemas(), clock, chance) as server:
            server.assemble(event_ttl=0.0)
            transport = HandlerTransport(server.handle, None)
            await transport.send("POST", EVENTS, JSON, orjson.dumps(event("a")))
            await clock.sleep(1_000_000)
            assert (await transport.send("GET", f"{EVENTS}/a", {})).status == 200

    run(story)
