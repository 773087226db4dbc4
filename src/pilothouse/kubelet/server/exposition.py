"""Metrics as Prometheus reads them, with the time at which each was taken: pages that are made anew for each reader.

Text format 0.0.4; families by name, samples by labels, and numbers as Go writes them, so that pages can be compared.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from pilothouse.runtime.clock import Instant

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", '"': '\\"'})
_PLAIN = 10**6
"""Up from here there is an exponent."""


@dataclass(slots=True)
class Family:
    """One metric with all its samples."""

    name: str
    kind: Literal["counter", "gauge"]
    text: str
    samples: list[tuple[tuple[tuple[str, str], ...], str]] = field(default_factory=list)

    def add(self, value: float, labels: Mapping[str, str], at: Instant | None = None) -> None:
        """One sample; without a time it is the reader's."""
        stamp = "" if at is None else f" {int(at * 1000)}"
        self.samples.append((tuple(sorted(labels.items())), f"{go_number(value)}{stamp}"))


def page(families: Iterable[Family]) -> bytes:
    """All families that have something to say."""
    lines = []
    for family in sorted(families, key=lambda one: one.name):
        if family.samples:
            lines.append(f"# HELP {family.name} {family.text}")
            lines.append(f"# TYPE {family.name} {family.kind}")
            lines += (f"{family.name}{_labels(labels)} {value}" for labels, value in sorted(family.samples))
    return "".join(f"{line}\n" for line in lines).encode()


def _labels(labels: tuple[tuple[str, str], ...]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in labels) + "}"


def go_number(value: float) -> str:
    """The shortest digits that mean the number, with an exponent from a million on and below a ten-thousandth."""
    if isinstance(value, int) and -_PLAIN < value < _PLAIN:
        return str(value)
    sign, digits, exponent = Decimal(repr(float(value))).normalize().as_tuple()
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
