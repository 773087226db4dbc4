"""Metrics as Prometheus reads them, with the time at which each was taken: pages that are made anew for each reader.

Text format 0.0.4; families by name, samples by labels, and numbers as Go writes them, so that pages can be compared.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from pilothouse.runtime.clock import Instant

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", '"': '\\"'})
_PLAIN = 10**6
"""Up from here there is an exponent."""


Labels = tuple[tuple[str, str], ...]
"""Names and values, by name. Made once for all the metrics of one thing: there are thousands of samples a page."""


def labels(known: Mapping[str, str], *more: tuple[str, str]) -> Labels:
    """In order."""
    return tuple(sorted((*known.items(), *more)))


@dataclass(slots=True)
class Family:
    """One metric with all its samples. Those that are added in order cost least."""

    name: str
    kind: Literal["counter", "gauge"]
    text: str
    samples: list[tuple[Labels, str]] = field(default_factory=list)

    def add(self, value: float, of: Labels = (), at: Instant | None = None) -> None:
        """One sample; without a time it is the reader's."""
        stamp = "" if at is None else f" {int(at * 1000)}"
        self.samples.append((of, f"{go_number(value)}{stamp}"))


def page(families: Iterable[Family]) -> bytes:
    """All families that have something to say."""
    lines: list[str] = []
    written: dict[Labels, str] = {}
    for family in sorted(families, key=lambda one: one.name):
        if family.samples:
            lines.append(f"# HELP {family.name} {family.text}")
            lines.append(f"# TYPE {family.name} {family.kind}")
            for of, value in sorted(family.samples):
                if (text := written.get(of)) is None:
                    text = written[of] = _written(of)
                lines.append(f"{family.name}{text} {value}")
    return "".join(f"{line}\n" for line in lines).encode()


def _written(of: Labels) -> str:
    if not of:
        return ""
    return "{" + ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in of) + "}"


def go_number(value: float) -> str:
    """The shortest digits that mean the number, with an exponent from a million on and below a ten-thousandth."""
    if isinstance(value, int) and -_PLAIN < value < _PLAIN:
        return str(value)
    return _written_float(float(value))


@lru_cache(1024)
def _written_float(value: float) -> str:
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(exponent, int)
    text, point = "".join(map(str, digits)), len(digits) + exponent
    minus = "-" if sign else ""
    if not value:
        return "0"
    if not -4 < point <= 6:
        fraction = f".{text[1:]}" if len(text) > 1 else ""
        return f"{minus}{text[0]}{fraction}e{point - 1:+03d}"
    if point <= 0:
        return f"{minus}0.{'0' * -point}{text}"
    return f"{minus}{text[:point].ljust(point, '0')}{'.' if text[point:] else ''}{text[point:]}"
