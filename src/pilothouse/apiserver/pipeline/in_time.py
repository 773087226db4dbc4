"""Where a body is decoded: here, or in the slow lane when that may take longer than a callback is allowed.

What a byte costs depends on the form alone, as far as can be known before it is read. Measured at worst, with many
small values: JSON 0.05 to 0.15 µs, and thrice that when it is not as we would write it; protobuf 0.4 µs, YAML 1 µs.
Changing threads costs 0.1 ms. What nearly every client sends is much shorter and never leaves the loop.
"""

from collections.abc import Callable
from typing import TypeVar

from pilothouse.api.machinery.codec import protobuf
from pilothouse.api.machinery.codec.body import JSON
from pilothouse.apiserver.exchange import Exchange

T = TypeVar("T")

QUICK_JSON = 32 * 1024
QUICK_PROTOBUF = 8 * 1024
QUICK_YAML = 4 * 1024
"""The longest body of the form that is decoded at once. YAML is also what a form nobody knows is taken for."""
_QUICK = {JSON: QUICK_JSON, protobuf.MEDIA_TYPE: QUICK_PROTOBUF}


async def in_time(exchange: Exchange, body: bytes, form: str, work: Callable[[], T]) -> T:
    """The result of `work`, which reads `body`, without holding up other requests."""
    if len(body) <= _QUICK.get(form, QUICK_YAML):
        return work()
    return await exchange.lane.run(work)
