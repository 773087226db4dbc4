import asyncio
from typing import Any

import pytest

from pilothouse.net.door import Door, Limits, peer_of
from pilothouse.net.http import Request, Response
from pilothouse.runtime.clock import SystemClock
from pilothouse.runtime.tasks import Tasks


class Transport(asyncio.Transport):
    def __init__(self, name: Any) -> None:
        super().__init__({"peername": name})


@pytest.mark.parametrize(
    ("name", "address"),
    [(("10.0.0.1", 5), "10.0.0.1:5"), (("fd00::1", 5, 0, 0), "[fd00::1]:5"), ("", ""), (None, "")],
)
def test_where_a_peer_is(name: Any, address: str) -> None:
    peer = peer_of(Transport(name))
    assert (peer.address, peer.certificate) == (address, None)


def test_the_date_is_made_once_a_second() -> None:
    class Clock(SystemClock):
        instant = 0.0

        def now(self) -> float:
            return self.instant

    async def handler(request: Request) -> Response:
        return Response(200)

    clock = Clock()
    door = Door(handler, clock, Limits(), Tasks())
    clock.instant = 1.2
    first = door.date()
    assert first == "Date: Thu, 01 Jan 1970 00:00:01 GMT\r\n"
    clock.instant = 1.9
    assert door.date() is first
    clock.instant = 2.0
    assert door.date() == "Date: Thu, 01 Jan 1970 00:00:02 GMT\r\n"
