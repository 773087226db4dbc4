"""Drivers by name."""

import asyncio

import pytest

from pilothouse.kubelet.csi.client import CsiError
from pilothouse.kubelet.csi.drivers import CsiDrivers
from pilothouse.kubelet.csi.metrics import csi_metrics
from pilothouse.runtime.clock import SystemClock
from pilothouse.runtime.metrics import Metrics


def test_calls_are_counted() -> None:
    """*Assumed*: the metric's name on the page; its labels and buckets were looked up."""

    async def main() -> None:
        metrics, drivers = Metrics(), CsiDrivers(SystemClock())
        drivers.observe = csi_metrics(metrics)
        client = await drivers.add("d", "/no.sock")
        with pytest.raises(CsiError):
            await client.info()
        await drivers.close()
        said = (
            'csi_operations_seconds_count{driver_name="d",grpc_status_code="Unavailable",'
            'method_name="/csi.v1.Node/NodeGetInfo",migrated="false"} 1.0'
        )
        assert said in metrics.page().decode()

    asyncio.run(main())


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
