"""Drivers by name."""

import asyncio

import pytest

from pilothouse.kubelet.csi.client import CsiError
from pilothouse.kubelet.csi.drivers import CsiDrivers
from pilothouse.runtime.clock import SystemClock


def test_drivers_come_and_go() -> None:
    async def main() -> None:
        drivers = CsiDrivers(SystemClock())
        with pytest.raises(CsiError, match="driver name d not found in the list of registered CSI drivers"):
            drivers.client("d")
        first = await drivers.add("d", "/a.sock")
        assert drivers.client("d") is first
        second = await drivers.add("d", "/b.sock")
        assert drivers.client("d") is second
        assert not await drivers.remove("d", "/a.sock")
        assert drivers.names() == ["d"]
        assert await drivers.remove("d", "/b.sock")
        assert not await drivers.remove("d")
        await drivers.add("e", "/e.sock")
        await drivers.close()
        assert drivers.names() == []

    asyncio.run(main())
