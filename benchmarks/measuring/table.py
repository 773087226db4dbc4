"""Tables: what was done, what upstream takes for it, what it may cost, what it cost. They are rows of Markdown.

So `docs/performance.md` is filled from what the benchmarks print. What misses its budget is bold.
"""

import re
from collections.abc import Sequence
from statistics import median
from time import process_time

import orjson
from schema_check import POD

_UNITS = {"µs": 1e-6, "ms": 1e-3, "s": 1.0, "MB": 1e6, "MiB": 2**20, "%": 1.0}
_AMOUNT = re.compile(r"([\d.]+) ?(µs|ms|s|MB|MiB|%)$")
_WIDTHS = (56, 15)


def heading(what: str, measured: Sequence[str] = ("measured",)) -> None:
    """The beginning of a table: what it is about, how fast the machine is meanwhile, and the columns."""
    print(f"\n### {what}")
    machine()
    print()
    columns = ("operation", "upstream", "budget", *measured)
    row(*columns)
    row(*("---" for _ in columns))


def line(what: str, seconds: float, budget: str = "", upstream: str = "") -> None:
    """One line."""
    fact(what, shown(seconds), budget, upstream)


def fact(what: str, value: str, budget: str = "", upstream: str = "") -> None:
    """One line that need not be a time."""
    row(what, upstream, budget, marked(value, budget))


def row(what: str, *cells: str) -> None:
    """One line, cell by cell."""
    padded = [f"{what:<{_WIDTHS[0]}}", *(f"{each:<{_WIDTHS[1]}}" for each in cells)]
    print(f"| {' | '.join(padded)} |", flush=True)


def marked(value: str, budget: str) -> str:
    """A value, bold where it is beyond its budget."""
    return f"**{value}**" if missed(value, budget) > 1 else value


def missed(value: str, budget: str) -> float:
    """How often a value is its budget; 0 where there is none. Of a range its end counts."""
    found, allowed = _AMOUNT.search(value), _AMOUNT.search(budget)
    return _number(found) / _number(allowed) if found and allowed else 0.0


def _number(found: re.Match[str]) -> float:
    return float(found[1]) * _UNITS[found[2]]


def shown(seconds: float) -> str:
    """Seconds in the unit that suits them."""
    if seconds >= 0.1:
        return f"{seconds:.2f} s"
    number, unit = (seconds * 1e3, "ms") if seconds >= 1e-3 else (seconds * 1e6, "µs")
    return f"{number:.0f} {unit}" if number >= 10 else f"{number:.1f} {unit}"


def machine() -> None:
    """Say how fast the machine is while others use it too, by work that is always the same."""
    document = orjson.dumps(POD)
    costs = []
    for _ in range(50):
        begin = process_time()
        for _ in range(200):
            orjson.loads(document)
        costs.append((process_time() - begin) / 200)
    print(f"This machine decodes a pod of {len(document)} bytes in {shown(median(costs))}.", flush=True)
