"""What the node knows of a claim that pods on it use, and which devices its drivers have made ready for it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from pilothouse.api.types.resource_v1 import ResourceClaim

Place = tuple[str, str]
"""Of a claim: namespace and name."""


class ClaimError(Exception):
    """A pod cannot have what it claims, or cannot give it back. Messages are upstream's."""


@dataclass(frozen=True, slots=True)
class Device:
    """One that a driver has made ready."""

    pool: str
    name: str
    requests: tuple[str, ...] = ()
    """Those of the claim that it is for; none: all of them."""
    cdi: tuple[str, ...] = ()
    """What the runtime is to give containers: names by the Container Device Interface."""
    share: str = ""
    """Which part of it, where several claims share it."""

    def serves(self, request: str) -> bool:
        """Whether a container that asks for this request of the claim gets it; empty: it asks for all."""
        return not request or not self.requests or request in self.requests


@dataclass(slots=True)
class ClaimInfo:
    """One claim."""

    namespace: str
    name: str
    uid: str
    devices: dict[str, tuple[Device, ...]]
    """By driver: all drivers that have a part in the claim, whether they give devices for it or not."""
    pods: dict[str, None] = field(default_factory=dict)
    """The uids of those that use it, in the order in which they came."""
    prepared: bool = False
    """Whether this kubelet has had it made ready."""

    @classmethod
    def of(cls, claim: ResourceClaim) -> "ClaimInfo":
        """Not ready yet. Raises ClaimError when nothing is allocated to it."""
        if not claim.status.allocation:
            raise ClaimError(f"ResourceClaim {claim.metadata.name}: not allocated")
        drivers = dict.fromkeys(result.driver for result in claim.status.allocation.devices.results)
        meta = claim.metadata
        return cls(meta.namespace, meta.name, meta.uid, dict.fromkeys(drivers, ()))

    @property
    def place(self) -> Place:
        """Where it is."""
        return self.namespace, self.name

    def cdi(self, requests: Iterable[str]) -> list[str]:
        """What a container gets that asks for these requests."""
        every = [device for devices in self.devices.values() for device in devices]
        return [name for request in requests for device in every if device.serves(request) for name in device.cdi]
