"""systemd-logind: who shuts the machine down, and waits for those who ask it to. org.freedesktop.login1(5).

A lock is a descriptor: who holds it holds the shutdown up, for as long as logind is configured to wait at most.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from jeepney import DBusAddress
from jeepney.fds import FileDescriptor

from pilothouse.linux.system_bus import SOCKET, BusError, SystemBus, connected
from pilothouse.runtime.clock import Clock

DROP_INS = Path("/etc/systemd/logind.conf.d")
OVERRIDE = "99-kubelet.conf"
_NAME, _PREPARE = "org.freedesktop.login1", "PrepareForShutdown"
_MANAGER = DBusAddress("/org/freedesktop/login1", _NAME, f"{_NAME}.Manager")
_SYSTEMD = DBusAddress("/org/freedesktop/systemd1", "org.freedesktop.systemd1", "org.freedesktop.systemd1.Manager")
_SIGHUP = 1


class ShutdownLock:
    """Holds up a shutdown until it is released."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def release(self) -> None:
        """Let it go on. Again does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class Logind:
    """Asked over the system's bus. Methods raise BusError and OSError."""

    def __init__(self, bus: SystemBus, drop_ins: Path = DROP_INS) -> None:
        self._bus = bus
        self._drop_ins = drop_ins

    async def delay(self) -> float:
        """Seconds that locks hold a shutdown up at most."""
        value = await self._bus.property(_MANAGER, "InhibitDelayMaxUSec")
        if not isinstance(value, int):
            raise BusError("InhibitDelayMaxUSec from logind is not a uint64 as expected")
        return value / 1e6

    async def ask_for_delay(self, seconds: float) -> None:
        """Have logind wait so long at most. It reads its configuration in its own time."""
        text = f"# Kubelet logind override\n[Login]\nInhibitDelayMaxSec={seconds:.0f}\n"
        await asyncio.to_thread(self._write, text)
        await self._bus.call(_SYSTEMD, "KillUnit", "ssi", "systemd-logind.service", "all", _SIGHUP)

    def _write(self, text: str) -> None:
        self._drop_ins.mkdir(parents=True, exist_ok=True, mode=0o755)
        (self._drop_ins / OVERRIDE).write_text(text)

    async def lock(self) -> ShutdownLock:
        """Hold up whatever shutdown comes."""
        why = "Kubelet needs time to handle node shutdown"
        answer = await self._bus.call(_MANAGER, "Inhibit", "ssss", "shutdown", "kubelet", why, "delay")
        if len(answer) != 1 or not isinstance(answer[0], FileDescriptor):
            raise BusError("logind gave no lock")
        return ShutdownLock(answer[0].to_raw_fd())

    async def listen(self) -> None:
        """Hear of shutdowns from now on."""
        await self._bus.subscribe(_MANAGER, _PREPARE)

    async def shutdown(self) -> bool:
        """Wait for the next: True when one is about to begin, False when it was called off."""
        while True:
            signal = await self._bus.signal()
            if signal.interface != _MANAGER.interface or signal.member != _PREPARE:
                continue
            # Whoever is on the bus may say so; only of logind it is true.
            if signal.sender == await self._bus.owner(_NAME) and signal.body in ((True,), (False,)):
                return bool(signal.body[0])


@asynccontextmanager
async def logind(clock: Clock, path: Path = SOCKET, drop_ins: Path = DROP_INS) -> AsyncIterator[Logind]:
    """Logind of this machine, while the block lasts. Raises BusError, OSError."""
    async with connected(clock, path) as bus:
        yield Logind(bus, drop_ins)
