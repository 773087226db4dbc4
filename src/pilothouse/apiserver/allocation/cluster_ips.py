"""Cluster IPs: which addresses there are, by ServiceCIDR objects, and which of them are taken.

Taken is what a Service has, what a write under way has reserved, and what an IPAddress object holds that somebody else
made. Ranges may overlap, so holders are counted by address and not by range. A range gives nothing while it is being
deleted or said not to be ready. Until the object `kubernetes` is there, the server's own configuration is that range.
Source: pkg/registry/core/service/ipallocator/cidrallocator.go (KEP-1880).
"""

import ipaddress
from collections import Counter
from collections.abc import Iterable

from pilothouse.api.machinery.conditions import FALSE, has_status
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.networking.ip_address import is_of_a_service
from pilothouse.api.networking.service_cidr import DEFAULT, READY
from pilothouse.apiserver.allocation.pools import Addresses, FullError
from pilothouse.apiserver.registry.watch_cache import WatchCache
from pilothouse.runtime.chance import Chance

_GROUP = "networking.k8s.io"


class ClusterIps:
    """The ranges of one cluster. `cidrs` has one a family, the preferred family first."""

    def __init__(self, cache: WatchCache, cidrs: Iterable[str], chance: Chance) -> None:
        self._configured = tuple(cidrs)
        self.families = tuple(f"IPv{ipaddress.ip_network(cidr).version}" for cidr in self._configured)
        """The families that Services may have."""
        self._chance = chance
        self._held: dict[str, Counter[int]] = {"IPv4": Counter(), "IPv6": Counter()}
        self._objects: dict[str, JsonObject] = {}
        self._ranges: dict[str, list[Addresses]] = {}
        self._gather()
        cache.of(_GROUP, "servicecidrs").observe(self._range_changed)
        cache.of(_GROUP, "ipaddresses").observe(self._address_changed)

    def hold(self, addresses: Iterable[str], *, release: bool = False) -> None:
        """Count holders of addresses, or forget them."""
        for text in addresses:
            try:
                address = ipaddress.ip_address(text)
            except ValueError:
                continue  # a headless Service has "None"
            held = self._held[f"IPv{address.version}"]
            held[int(address)] += -1 if release else 1
            if held[int(address)] <= 0:
                del held[int(address)]

    def refusal(self, family: str, text: str) -> str:
        """Why an address cannot be given to who asks for it; empty where it can."""
        address = ipaddress.ip_address(text)
        if f"IPv{address.version}" != family or not any(int(address) in pool for pool in self._ranges[family]):
            return "the provided network does not match the current range"
        return "provided IP is already allocated" if self._held[family][int(address)] > 0 else ""

    def pick(self, family: str) -> str:
        """A free address. Raises FullError."""
        for pool in self._ranges[family]:
            try:
                return pool.address()
            except FullError:
                continue
        raise FullError

    def _range_changed(self, old: JsonObject | None, new: JsonObject | None) -> None:
        if old is not None:
            self._objects.pop(old["metadata"]["name"], None)
        if new is not None:
            self._objects[new["metadata"]["name"]] = new
        self._gather()

    def _gather(self) -> None:
        """Every range that gives addresses: those of the default first, then in the order of the objects' names."""
        names = sorted(self._objects, key=lambda name: (name != DEFAULT, name))
        cidrs = [] if DEFAULT in self._objects else [*self._configured]
        cidrs += [cidr for name in names if gives(self._objects[name]) for cidr in self._objects[name]["spec"]["cidrs"]]
        self._ranges = {family: [] for family in self._held}
        for network in map(ipaddress.ip_network, dict.fromkeys(cidrs)):
            family = f"IPv{network.version}"
            self._ranges[family].append(Addresses(network, self._chance, self._held[family]))

    def _address_changed(self, old: JsonObject | None, new: JsonObject | None) -> None:
        """Count what others hold: the objects that go with Services say what the Services say."""
        for obj, release in ((new, False), (old, True)):
            if obj is not None and not is_of_a_service(obj):
                self.hold((obj["metadata"]["name"],), release=release)


def gives(service_cidr: JsonObject) -> bool:
    """Whether addresses are taken from the range: nobody has to have said that it is ready."""
    if service_cidr["metadata"].get("deletionTimestamp"):
        return False
    return not has_status((service_cidr.get("status") or {}).get("conditions") or (), READY, FALSE)
