"""The CSI drivers that have registered on the node, by name. Upstream: pkg/volume/csi/csi_drivers_store.go."""

from functools import partial

from pilothouse.kubelet.csi.client import PATIENCE, CsiClient, CsiError
from pilothouse.kubelet.csi.metrics import Observe, unobserved
from pilothouse.runtime.clock import Clock


class CsiDrivers:
    """Of one node."""

    def __init__(self, clock: Clock, patience: float = PATIENCE) -> None:
        self._clock = clock
        self._patience = patience
        self._known: dict[str, CsiClient] = {}
        self.observe: Observe = unobserved
        """Told of each call."""

    def client(self, name: str) -> CsiClient:
        """A driver. Raises CsiError when there is none."""
        found = self._known.get(name)
        if found is None:
            raise CsiError(f"driver name {name} not found in the list of registered CSI drivers")
        return found

    async def add(self, name: str, socket: str) -> CsiClient:
        """One has registered."""
        await self.remove(name)
        made = self._known[name] = CsiClient(socket, self._clock, self._patience, partial(self.observe, name))
        return made

    async def remove(self, name: str, socket: str = "") -> bool:
        """One is gone; whether it was there. With a socket: unless it has another by now."""
        known = self._known.get(name)
        if known is None or (socket and known.socket != socket):
            return False
        del self._known[name]
        await known.close()
        return True

    def names(self) -> list[str]:
        """All, in order."""
        return sorted(self._known)

    async def close(self) -> None:
        """Ask none any more."""
        for name in self.names():
            await self.remove(name)
