"""Thresholds: of how little is too little. An amount, or a share of what there is.

Shares are numbers of single precision, as upstream's are: what a node lets pods have depends on it in the last digits.
"""

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from pilothouse.api.machinery.quantity import Quantity, QuantityFormat, of_units, parse_quantity
from pilothouse.kubelet.eviction.signals import MEANINGS, MEMORY, PODS_MEMORY


@dataclass(frozen=True, slots=True)
class Amount:
    """So much, or such a share of what there is."""

    quantity: Quantity | None = None
    share: float = 0.0

    def of(self, capacity: int) -> Quantity:
        """In whole units."""
        if self.quantity is not None:
            return self.quantity
        return of_units(int(capacity * self.share), QuantityFormat.BINARY)


@dataclass(frozen=True, slots=True)
class Threshold:
    """Met while less than this is left."""

    signal: str
    amount: Amount
    grace: float = 0.0
    """Seconds for which it must have been met before anything is done; 0: a hard one."""
    reclaim: Amount | None = None
    """How much more than the amount must be left until it is over."""

    @property
    def hard(self) -> bool:
        """Nothing is waited for: neither before, nor for the pod."""
        return not self.grace

    def limit(self, capacity: int, *, reclaimed: bool = False) -> Quantity:
        """What must be left of so much."""
        limit = self.amount.of(capacity)
        return limit + self.reclaim.of(capacity) if reclaimed and self.reclaim is not None else limit


def parse(
    hard: Mapping[str, str], soft: Mapping[str, str], grace: Mapping[str, float], reclaim: Mapping[str, str]
) -> list[Threshold]:  # fmt: skip
    """Those that a configuration asks for. Raises ValueError with upstream's words."""
    found = [Threshold(signal, amount) for signal, amount in _amounts(hard)]
    waits = {_known(signal): seconds for signal, seconds in grace.items()}
    for seconds in waits.values():
        if seconds < 0:
            raise ValueError(f"invalid eviction grace period specified: {seconds:g}s, must be a positive value")
    for signal, amount in _amounts(soft):
        if signal not in waits:
            raise ValueError(f"grace period must be specified for the soft eviction threshold {signal}")
        found.append(Threshold(signal, amount, waits[signal]))
    least = {_known(signal): _reclaim(signal, text) for signal, text in reclaim.items()}
    return [replace(one, reclaim=least.get(one.signal)) for one in found]


def of_pods(thresholds: Iterable[Threshold]) -> list[Threshold]:
    """What holds for the memory of the node holds for that of all pods together too."""
    return [replace(one, signal=PODS_MEMORY) for one in thresholds if one.signal == MEMORY and one.hard]


def _known(signal: str) -> str:
    if signal not in MEANINGS:
        raise ValueError(f"unsupported eviction signal {signal}")
    return signal


def _amounts(statements: Mapping[str, str]) -> Iterable[tuple[str, Amount]]:
    for signal, text in statements.items():
        _known(signal)
        if text in ("0%", "100%"):
            continue
        if text.endswith("%"):
            share = _share(text)
            if share < 0:
                raise ValueError(f"eviction percentage threshold {signal} must be >= 0%: {text}")
            if share > 1:
                raise ValueError(f"eviction percentage threshold {signal} must be <= 100%: {text}")
            yield signal, Amount(share=share)
            continue
        quantity = parse_quantity(text)
        if quantity.nano <= 0:
            raise ValueError(f"eviction threshold {signal} must be positive: {quantity}")
        yield signal, Amount(quantity)


def _reclaim(signal: str, text: str) -> Amount:
    if text.endswith("%"):
        share = _share(text)
        if share <= 0:
            raise ValueError(f"eviction percentage minimum reclaim {signal} must be positive: {text}")
        return Amount(share=share)
    quantity = parse_quantity(text)
    if quantity.nano < 0:
        raise ValueError(f"negative eviction minimum reclaim specified for {signal}")
    return Amount(quantity)


def _share(text: str) -> float:
    return _single(_single(float(text.rstrip("%"))) / 100)


def _single(number: float) -> float:
    """The nearest number of single precision."""
    return float(struct.unpack("f", struct.pack("f", number))[0])
