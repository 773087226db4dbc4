"""How many seats a request takes: one, but for lists, which cost by what they read.

A list from the cache is reckoned by its bytes: as many objects as it may hold times what one weighs, a megabyte at
most, since answers are streamed; a seat for each 100 kB. Source:
apiserver/pkg/util/flowcontrol/request/list_work_estimator.go.
"""

from itertools import islice

from pilothouse.api.machinery.whole_numbers import int_or
from pilothouse.apiserver.registry.resource_cache import ResourceCache
from pilothouse.apiserver.request_info import RequestInfo

_BYTES_A_SEAT = 100_000
_MOST_BYTES = 1_000_000
_SAMPLE = 8
"""How many objects are weighed."""


def lists(info: RequestInfo) -> bool:
    """Whether a request reads many objects."""
    return info.verb == "list" or (info.verb == "watch" and info.flag("sendInitialEvents"))


def list_seats(info: RequestInfo, cache: ResourceCache, most: int) -> int:
    """The seats of a request that lists."""
    count = len(cache.entries)
    if info.name or not count:
        return 1
    limit = int_or(0, info.value("limit"))
    if limit > 0:
        count = min(count, limit)
    sample = [len(entry.stored) for entry in islice(cache.entries.values(), _SAMPLE)]
    size = min(count * sum(sample) // len(sample), _MOST_BYTES)
    return max(1, min(-(-size // _BYTES_A_SEAT), most))
