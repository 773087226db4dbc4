"""Pools: numbers of a range, one holder each, the upper part first for those who do not mind which.

The lower part of a range is left to users who name what they want, until the upper part is full (KEP-3070 for cluster
IPs, KEP-3668 for node ports; the sizes are theirs).
"""

import ipaddress
from collections import Counter

from pilothouse.runtime.chance import Chance

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_TRIES = 32
"""Random picks before the pool is searched in order."""
_SHORTEST_IPV6 = 64
"""Of an IPv6 range with a shorter prefix nothing is given, as upstream has it."""


class FullError(Exception):
    """Every number is taken."""

    def __init__(self) -> None:
        super().__init__("range is full")


class Pool:
    """Numbers from `first` to `last`, of which those below `first + reserved` are given out last."""

    def __init__(self, first: int, last: int, reserved: int, chance: Chance, held: Counter[int] | None = None) -> None:
        """`held` counts the holders of each number, where pools that overlap share that."""
        self._first = first
        self._last = last
        self._dynamic = first + reserved
        self._chance = chance
        self._held: Counter[int] = Counter() if held is None else held

    def __contains__(self, number: int) -> bool:
        return self._first <= number <= self._last

    def taken(self, number: int) -> bool:
        """Whether somebody holds the number."""
        return self._held[number] > 0

    def hold(self, number: int) -> None:
        """Count a holder. Several may hold one number only by accident or in the moment of a hand-over."""
        self._held[number] += 1

    def release(self, number: int) -> None:
        """Forget a holder."""
        self._held[number] -= 1
        if self._held[number] <= 0:
            del self._held[number]

    def pick(self) -> int:
        """A number nobody holds. Raises FullError."""
        for low, high in ((self._dynamic, self._last), (self._first, self._dynamic - 1)):
            size = high - low + 1
            if size <= 0:
                continue
            for _ in range(min(_TRIES, size)):
                number = low + self._chance.below(size)
                if not self.taken(number):
                    return number
            found = next((number for number in range(low, high + 1) if not self.taken(number)), None)
            if found is not None:
                return found
        raise FullError


class Addresses(Pool):
    """Cluster IPs of one range; `held` is shared by all ranges of the family."""

    def __init__(self, network: Network, chance: Chance, held: Counter[int]) -> None:
        self._make = type(network.network_address)
        first = int(network.network_address) + 1
        last = int(network.broadcast_address) - (1 if network.version == 4 else 0)
        size = last - first + 1
        reserved = 0 if size <= 16 else min(max(16, network.num_addresses // 16), 256)
        if network.version == 6 and network.prefixlen < _SHORTEST_IPV6:
            last = first - 1
        super().__init__(first, last, reserved, chance, held)

    def address(self) -> str:
        """A free address. Raises FullError."""
        return str(self._make(self.pick()))


class NodePorts(Pool):
    """Node ports of one range."""

    def __init__(self, first: int, last: int, chance: Chance) -> None:
        size = last - first + 1
        super().__init__(first, last, 0 if size < 32 else min(max(16, size // 32), 128), chance)
        self.words = f"{first}-{last}"
