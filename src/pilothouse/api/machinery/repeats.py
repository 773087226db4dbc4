"""Which items of a list have come before. Each is looked at once: lists may be as long as a body."""

from collections.abc import Iterable, Iterator
from typing import Any

import orjson


def repeats(items: Iterable[Any]) -> Iterator[int]:
    """The positions of the items that are the same, as JSON, as an earlier one."""
    seen: set[str | bytes] = set()
    for position, item in enumerate(items):
        key = item if isinstance(item, str) else orjson.dumps(item, option=orjson.OPT_SORT_KEYS)
        if key in seen:
            yield position
        seen.add(key)
