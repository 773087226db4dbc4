"""Leases are shared, and never end before the time that was asked for."""

from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

from pilothouse.net.message_table import message_classes
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.store.etcd import table
from pilothouse.store.etcd.leases import Leases
from pilothouse.testing.loop import run


class Grants:
    """The etcd that leases are asked of."""

    messages = message_classes("etcd", table.MESSAGES, table.ENUMS)

    def __init__(self) -> None:
        self.seconds: list[int] = []

    async def call(self, name: str, request: Any) -> Any:
        assert name == "LeaseGrant"
        self.seconds.append(request.TTL)
        return SimpleNamespace(ID=len(self.seconds))


def story(body: Callable[[Leases, Grants, LoopClock], Awaitable[None]]) -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        grants = Grants()
        await body(Leases(grants, clock), grants, clock)  # type: ignore[arg-type]

    run(main)


def test_one_lease_serves_all_of_a_minute() -> None:
    async def body(leases: Leases, grants: Grants, clock: LoopClock) -> None:
        assert [await leases.lease(3600), await leases.lease(3600)] == [1, 1]
        await clock.sleep(60)
        assert await leases.lease(3600) == 1, "it has an hour left"
        await clock.sleep(0.5)
        assert await leases.lease(3600) == 2
        assert grants.seconds == [3660, 3660]

    story(body)


def test_each_time_to_live_has_its_own() -> None:
    async def body(leases: Leases, grants: Grants, clock: LoopClock) -> None:
        assert [await leases.lease(3600), await leases.lease(15), await leases.lease(3600)] == [1, 2, 1]
        assert grants.seconds == [3660, 16], "a twentieth more, in whole seconds"

    story(body)


def test_a_lease_bears_a_thousand_records() -> None:
    async def body(leases: Leases, grants: Grants, clock: LoopClock) -> None:
        assert {await leases.lease(3600) for _ in range(1000)} == {1}
        assert await leases.lease(3600) == 2

    story(body)


def test_what_etcd_has_forgotten_is_asked_for_again() -> None:
    async def body(leases: Leases, grants: Grants, clock: LoopClock) -> None:
        await leases.lease(3600)
        leases.forget()
        assert await leases.lease(3600) == 2

    story(body)
