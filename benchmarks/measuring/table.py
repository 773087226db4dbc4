"""A table on the terminal: what was done, what it cost, what it may cost, and how fast the machine is meanwhile."""

from statistics import median
from time import process_time

import orjson
from schema_check import POD


def heading(what: str, measured: str = "CPU") -> None:
    """The first line."""
    print(f"{what:<48} {measured:>12} {'budget':>10}", flush=True)


def line(what: str, seconds: float, budget: str = "") -> None:
    """One line."""
    print(f"{what:<48} {shown(seconds):>12} {budget:>10}", flush=True)


def fact(what: str, value: str, budget: str = "") -> None:
    """One line that is no time."""
    print(f"{what:<48} {value:>12} {budget:>10}", flush=True)


def shown(seconds: float) -> str:
    """Seconds in the unit that suits them."""
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1e3:.1f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.1f} us"


def machine() -> None:
    """Say how fast the machine is while others use it too, by work that is always the same."""
    document = orjson.dumps(POD)
    costs = []
    for _ in range(50):
        begin = process_time()
        for _ in range(200):
            orjson.loads(document)
        costs.append((process_time() - begin) / 200)
    line(f"[this machine: decode a pod of {len(document)} bytes]", median(costs), "11 us idle")
