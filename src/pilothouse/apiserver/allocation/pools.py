"""Pools: numbers of a range, one holder each, the upper part first for those who do not mind which.

The lower part of a range is left to users who name what they want, until the upper part is full (KEP-3070 for cluster
IPs, KEP-3668 for node ports; the sizes are theirs).
"""

import ipaddress
from collections import Counter
from collections.abc import Iterable

from pilothouse.runtime.chance import Chance

_TRIES = 32
"""Random picks before the pool is searched in order."""
_MOST_ADDRESSES = 1 << 16
"""Addresses of a large IPv6 range that are used, as upstream bounds it."""


class FullError(Exception):
    """Every number is taken."""

    def __init__(self) -> None:
        super().__init__("range is full")


class Pool:
    """Numbers from `first` to `last`, of which those below `first + reserved` are given out last."""

    def __init__(self, first: int, last: int, reserved: int, chance: Chance) -> None:
        self._first = first
        self._last = last
        self._dynamic = first + reserved
        self._chance = chance
        self._held: Counter[int] = Counter()

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


class Addresses:
    """Cluster IPs of one range."""

    def __init__(self, cidr: str, chance: Chance) -> None:
        self.network = ipaddress.ip_network(cidr)
        first = int(self.network.network_address) + 1
        last = int(self.network.broadcast_address) - (1 if self.network.version == 4 else 0)
        last = min(last, first + _MOST_ADDRESSES - 1)
        size = last - first + 1
        reserved = 0 if size <= 16 else min(max(16, self.network.num_addresses // 16), 256)
        self._pool = Pool(first, last, reserved, chance)

    @property
    def family(self) -> str:
        """`IPv4` or `IPv6`."""
        return f"IPv{self.network.version}"

    def number(self, address: str) -> int | None:
        """The pool's number of an address; None for one that is not of the range."""
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return None
        if parsed.version != self.network.version or int(parsed) not in self._pool:
            return None
        return int(parsed)

    def taken(self, number: int) -> bool:
        """Whether some Service has it."""
        return self._pool.taken(number)

    def hold(self, addresses: Iterable[str], *, release: bool = False) -> None:
        """Count Services' addresses, or forget them. Addresses of other ranges are nobody's here."""
        for address in addresses:
            number = self.number(address)
            if number is not None:
                (self._pool.release if release else self._pool.hold)(number)

    def pick(self) -> str:
        """A free address. Raises FullError."""
        number = self._pool.pick()
        return str(ipaddress.IPv4Address(number) if self.network.version == 4 else ipaddress.IPv6Address(number))


class NodePorts(Pool):
    """Node ports of one range."""

    def __init__(self, first: int, last: int, chance: Chance) -> None:
        size = last - first + 1
        super().__init__(first, last, 0 if size < 32 else min(max(16, size // 32), 128), chance)
        self.words = f"{first}-{last}"
