"""Numbers of stored objects."""

import orjson

from pilothouse.api.catalogue import with_addons
from pilothouse.api.machinery.schema import Schemas
from pilothouse.apiserver.server import ApiServer
from pilothouse.client.transport import HandlerTransport
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.store.memory import MemoryStore
from pilothouse.testing.loop import run

MAPS = "/api/v1/namespaces/default/configmaps"


def test_every_resource_is_counted() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with MemoryStore(clock) as store, ApiServer(store, with_addons(), Schemas(), clock, chance) as server:
            server.assemble()
            transport = HandlerTransport(server.handle, None)
            for name in ("a", "b"):
                body = orjson.dumps({"metadata": {"name": name}})
                await transport.send("POST", MAPS, {"content-type": "application/json"}, body)
            lines = (await transport.send("GET", "/metrics", {})).body.decode().splitlines()
            assert 'apiserver_resource_objects{group="",resource="configmaps"} 2.0' in lines
            assert 'apiserver_resource_objects{group="apps",resource="deployments"} 0.0' in lines
            maps = server.cache.of("", "configmaps")
            maps.observe(lambda _, obj: obj["spec"])  # type: ignore[index]
            lines = (await transport.send("GET", "/metrics", {})).body.decode().splitlines()
            assert 'apiserver_watch_cache_observer_crashes_total{group="",resource="configmaps"} 2.0' in lines
            assert not any('resource="events"' in line and "events.k8s.io" in line for line in lines), "stored once"
            assert not any("metrics.k8s.io" in line or "reviews" in line for line in lines), "never stored"

    run(story)
