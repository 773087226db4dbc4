"""Quantity: an exact amount such as `500m`, `1.5Gi` or `12e6`, written canonically.

An amount is a whole number of billionths, since upstream rounds anything finer up when it parses: one Python integer
holds every quantity exactly, where upstream changes between int64 and big decimals. Beside it stands the form in which
it was written (decimal, binary, exponent), because the canonical text keeps it. Source: the Quantity page of the API
reference and apimachinery/pkg/api/resource. Where upstream loses digits (above 10^21 in decimal form the suffix is
dropped; above int64 `Value` wraps) we keep them.
"""

import re
from collections.abc import Iterable
from enum import Enum

from pilothouse.runtime.short_memo import short_memo

_NANO = 10**9
_LARGEST_BINARY = (2**63 - 1) * _NANO
_LARGEST_EXPONENT = 1000
"""Nobody means more, and a text of ten bytes must not cost gigabytes."""

_MOST_DIGITS = 1000
"""The same of long texts."""

_SHAPE = re.compile(r"([+-]?)0*+([0-9]*+)(?:\.([0-9]*+))?+([eEinumkKMGTP]*+[-+]?[0-9]*+)")
_EXPONENT = re.compile(r"[eE]([-+]?[0-9]+)")

FORMAT_WRONG = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
NUMERIC_WRONG = "unable to parse numeric part of quantity"
SUFFIX_WRONG = "unable to parse quantity's suffix"

_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL_SUFFIX = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY_SUFFIX = ("", *_BINARY)


class QuantityFormat(Enum):
    """How an amount was written, and so how it is written again."""

    DECIMAL = "DecimalSI"
    BINARY = "BinarySI"
    EXPONENT = "DecimalExponent"


class Quantity:
    """An exact amount. Immutable; equal, ordered and hashed by amount, however it was written."""

    __slots__ = ("_text", "format", "nano")

    nano: int
    """Billionths."""
    format: QuantityFormat

    def __init__(self, nano: int, form: QuantityFormat = QuantityFormat.DECIMAL, text: str = "") -> None:
        self.nano = nano
        self.format = form
        self._text = text

    def value(self) -> int:
        """The amount in whole units, rounded away from zero."""
        return _away_from_zero(self.nano, _NANO)

    def milli(self) -> int:
        """The amount in thousandths, rounded away from zero."""
        return _away_from_zero(self.nano, 10**6)

    def __str__(self) -> str:
        if not self._text:
            self._text = _canonical(self.nano, self.format)
        return self._text

    def __repr__(self) -> str:
        return f"Quantity({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return self.nano == other.nano if isinstance(other, Quantity) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.nano)

    def __lt__(self, other: "Quantity") -> bool:
        return self.nano < other.nano

    def __le__(self, other: "Quantity") -> bool:
        return self.nano <= other.nano

    def __gt__(self, other: "Quantity") -> bool:
        return self.nano > other.nano

    def __ge__(self, other: "Quantity") -> bool:
        return self.nano >= other.nano

    def __bool__(self) -> bool:
        return self.nano != 0

    def __add__(self, other: "Quantity") -> "Quantity":
        return Quantity(self.nano + other.nano, self.format if self.nano else other.format)

    def __sub__(self, other: "Quantity") -> "Quantity":
        return Quantity(self.nano - other.nano, self.format if self.nano else other.format)

    def __mul__(self, factor: int) -> "Quantity":
        return Quantity(self.nano * factor, self.format)

    def __neg__(self) -> "Quantity":
        return Quantity(-self.nano, self.format)


ZERO = Quantity(0)


def parse_quantity(text: str | float) -> Quantity:
    """Read a quantity from text or a JSON number. Raises ValueError with upstream's words."""
    return _parse(text if isinstance(text, str) else str(text))


def total(amounts: Iterable[Quantity]) -> Quantity:
    """The sum, in the form of the first that is not zero."""
    return sum(amounts, ZERO)


def of_units(value: int, form: QuantityFormat = QuantityFormat.DECIMAL) -> Quantity:
    """So many whole units, such as bytes or pods."""
    return Quantity(value * _NANO, form)


def of_milli(value: int, form: QuantityFormat = QuantityFormat.DECIMAL) -> Quantity:
    """So many thousandths, such as milli-CPUs."""
    return Quantity(value * 10**6, form)


@short_memo(4096)
def _parse(text: str) -> Quantity:
    """Remembered: clusters hold few distinct amounts."""
    found = _SHAPE.fullmatch(text) if text else None
    if found is None:
        raise ValueError(FORMAT_WRONG)
    sign, number, fraction, suffix = found.group(1), found.group(2), found.group(3) or "", found.group(4)
    if len(number) + len(fraction) > _MOST_DIGITS:
        raise ValueError(NUMERIC_WRONG)
    exponent, form = _interpret(suffix)
    mantissa = int((number or "0") + fraction)
    if form is QuantityFormat.BINARY:
        nano = _away_from_zero((mantissa << exponent) * _NANO, 10 ** len(fraction))
        nano = min(nano, _LARGEST_BINARY)
        if 0 < nano < _NANO:
            form = QuantityFormat.DECIMAL
    else:
        nano = _scaled(mantissa, exponent - len(fraction) + 9)
    kept = text if _stands_as_written(number, fraction, exponent, form) else ""
    return Quantity(-nano if sign == "-" else nano, form, kept)


def _interpret(suffix: str) -> tuple[int, QuantityFormat]:
    """The exponent a suffix stands for: of ten, or of two in binary form."""
    if (exponent := _DECIMAL.get(suffix)) is not None:
        return exponent, QuantityFormat.DECIMAL
    if (exponent := _BINARY.get(suffix)) is not None:
        return exponent, QuantityFormat.BINARY
    if (found := _EXPONENT.fullmatch(suffix)) and len(found.group(1)) < 20:
        exponent = int(found.group(1))
        if exponent <= _LARGEST_EXPONENT:
            return exponent, QuantityFormat.EXPONENT
    raise ValueError(SUFFIX_WRONG)


def _scaled(mantissa: int, exponent: int) -> int:
    """`mantissa` times ten to the `exponent`, rounded up to a whole number."""
    if exponent >= 0:
        power: int = 10**exponent
        return mantissa * power
    return _away_from_zero(mantissa, 10 ** min(-exponent, len(str(mantissa)) + 1))


def _stands_as_written(number: str, fraction: str, exponent: int, form: QuantityFormat) -> bool:
    """Whether upstream's parser trusts the text to be canonical and keeps it. It does so even for `1.500` and `+1`."""
    if not number:
        return False
    digits = number + fraction
    if form is QuantityFormat.BINARY:
        precise = 15 - len(number) - int(exponent * 3 / 10) - 1 >= 0
        return precise and not fraction and int(number) & 7 != 0
    scale = exponent - len(fraction)
    return len(digits) <= 18 and scale >= -9 and scale % 3 == 0 and not digits.endswith("000")


def _away_from_zero(dividend: int, divisor: int) -> int:
    """The quotient, rounded up in size."""
    return -(-dividend // divisor) if dividend > 0 else dividend // divisor


def _canonical(nano: int, form: QuantityFormat) -> str:
    """No fraction, no lost digit, and the largest suffix for which that holds."""
    if nano == 0:
        return "0"
    whole, rest = divmod(nano, _NANO)
    if form is QuantityFormat.BINARY and not rest and abs(whole) >= 1024:
        return _binary(whole)
    exponent = -9
    while nano % 1000 == 0:
        nano //= 1000
        exponent += 3
    if form is QuantityFormat.EXPONENT or exponent not in _DECIMAL_SUFFIX:
        return f"{nano}e{exponent}" if exponent else str(nano)
    return f"{nano}{_DECIMAL_SUFFIX[exponent]}"


def _binary(whole: int) -> str:
    step = 0
    while whole % 1024 == 0 and step < len(_BINARY):
        whole //= 1024
        step += 1
    return f"{whole}{_BINARY_SUFFIX[step]}"
