"""What shows only from inside; the rest of a connection's behaviour is in test_server.py."""

from pilothouse.net.door import Door, Limits
from pilothouse.net.http import Request, Response
from pilothouse.runtime.clock import SystemClock
from pilothouse.runtime.tasks import Tasks


class _Standing(SystemClock):
    time = 0.0

    def now(self) -> float:
        return self.time


async def _handle(request: Request) -> Response:
    return Response(200)


def test_the_date_is_made_once_a_second() -> None:
    clock = _Standing()
    door = Door(_handle, clock, Limits(), Tasks())
    clock.time = 1_800_000_000.2
    first = door.date()
    assert first == "Date: Fri, 15 Jan 2027 08:00:00 GMT\r\n"
    clock.time = 1_800_000_000.9
    assert door.date() is first
    clock.time = 1_800_000_001.0
    assert door.date() == "Date: Fri, 15 Jan 2027 08:00:01 GMT\r\n"
