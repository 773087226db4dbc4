import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from fakes.served import schemas
from pilothouse.api.catalogue import builtin
from pilothouse.api.types.networking_v1 import ServiceCIDR
from pilothouse.apiserver.bootstrap.default_range import (
    MANAGER,
    ensure_default_range,
    keep_default_range,
    wants_ready,
)
from pilothouse.apiserver.server import ApiServer
from pilothouse.client.client import Client
from pilothouse.client.memo import Memo
from pilothouse.client.transport import HandlerTransport
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.store.memory import MemoryStore
from pilothouse.testing.loop import run

IPV4, IPV6 = "10.96.0.0/16", "fd00::/112"
Story = Callable[[Client, ApiServer, LoopClock], Awaitable[None]]


def tell(story: Story) -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        async with MemoryStore(clock) as store, ApiServer(store, builtin(), schemas(), clock, chance) as server:
            server.assemble()
            await story(Client(HandlerTransport(server.handle, None), builtin(), clock, memo=Memo()), server, clock)

    run(main)


def _ready(status: str) -> dict[str, str]:
    return {"type": "Ready", "status": status}


@pytest.mark.parametrize(
    ("conditions", "going", "expected"),
    [
        ([], False, True),
        ([_ready("Unknown")], False, True),
        ([_ready("True")], False, False),
        ([_ready("False")], False, False),
        ([], True, False),
    ],
)
def test_when_it_is_said_to_be_ready(conditions: list[dict[str, str]], going: bool, expected: bool) -> None:
    metadata = {"deletionTimestamp": "2026-01-01T00:00:00Z"} if going else {}
    assert wants_ready({"metadata": metadata, "status": {"conditions": conditions}}) is expected


def test_it_is_made_and_ready() -> None:
    async def story(client: Client, server: ApiServer, clock: LoopClock) -> None:
        await ensure_default_range(client, (IPV4,), clock)
        made: Any = (await client.get(ServiceCIDR, "kubernetes")).raw
        assert made["spec"] == {"cidrs": [IPV4]}
        (condition,) = made["status"]["conditions"]
        assert condition.pop("lastTransitionTime")
        assert {name: value for name, value in condition.items() if value} == {
            "type": "Ready", "status": "True", "message": "Kubernetes default Service CIDR is ready",
        }  # fmt: skip
        assert [entry["manager"] for entry in made["metadata"]["managedFields"] if "subresource" in entry] == [MANAGER]
        before = made["metadata"]["resourceVersion"]
        await ensure_default_range(client, (IPV4,), clock)
        assert (await client.get(ServiceCIDR, "kubernetes")).metadata.resourceVersion == before

    tell(story)


def test_a_second_family_joins_and_nothing_else_is_changed(caplog: pytest.LogCaptureFixture) -> None:
    async def story(client: Client, server: ApiServer, clock: LoopClock) -> None:
        await ensure_default_range(client, (IPV4,), clock)
        await ensure_default_range(client, (IPV4, IPV6), clock)
        assert [*(await client.get(ServiceCIDR, "kubernetes")).spec.cidrs] == [IPV4, IPV6]
        with caplog.at_level(logging.WARNING):
            await ensure_default_range(client, ("10.0.0.0/16",), clock)
        assert [*(await client.get(ServiceCIDR, "kubernetes")).spec.cidrs] == [IPV4, IPV6]

    tell(story)
    assert "is not what the server is configured with" in caplog.text


def test_it_comes_back() -> None:
    async def story(client: Client, server: ApiServer, clock: LoopClock) -> None:
        async with Tasks() as tasks:
            await ensure_default_range(client, (IPV4,), clock)
            tasks.spawn(keep_default_range(client, server.cache, (IPV4,), clock), name="range")
            await clock.sleep(1)
            before = (await client.get(ServiceCIDR, "kubernetes")).metadata.uid
            await client.delete(ServiceCIDR, "kubernetes")
            await clock.sleep(1)
            assert (await client.get(ServiceCIDR, "kubernetes")).metadata.uid != before

    tell(story)
