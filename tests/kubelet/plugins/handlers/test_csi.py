"""A CSI driver is taken in: it is asked about the node, and the cluster is told."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import grpc
import pytest

from fakes.csi_driver import CsiDriver
from kubelet.harness import FakeMounter
from kubelet.storing import Station
from pilothouse.api.types.core_v1 import Node
from pilothouse.api.types.storage_v1 import CSINode
from pilothouse.client.client import Client
from pilothouse.kubelet.plugins.handlers.csi import CsiHandler
from pilothouse.kubelet.plugins.registration import register
from pilothouse.kubelet.plugins.unix_client import PluginError
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import SystemClock
from pilothouse.testing.cluster import Cluster


def serve(root: Path, story: Any) -> None:
    async def main() -> None:
        clock, chance = SystemClock(), Chance(1)
        async with Cluster(clock, chance) as cluster, CsiDriver(root, FakeMounter()) as driver:
            await cluster.client().create(Node, {"metadata": {"name": "n1"}})
            station = Station(root, clock)
            context = SimpleNamespace(
                config=SimpleNamespace(node_name="n1"), client=cluster.client(),
                services=SimpleNamespace(storage=station.storage),
            )  # fmt: skip
            try:
                await story(driver, CsiHandler(cast("Any", context)), station, cluster.client())
            finally:
                await station.storage.drivers.close()

    asyncio.run(main())


def test_a_driver_is_known_to_node_and_cluster_and_then_no_longer(tmp_path: Path) -> None:
    async def story(driver: CsiDriver, handler: CsiHandler, station: Station, client: Client) -> None:
        taken = await register(driver.registration, {handler.kind: handler}, SystemClock())
        assert station.storage.drivers.client(driver.name).socket == str(driver.socket)
        assert [one.nodeID for one in (await client.get(CSINode, "n1")).spec.drivers] == ["node-1"]
        await handler.deregister(taken.name, "/another.sock")
        assert station.storage.drivers.names() == [driver.name]
        await handler.deregister(taken.name, taken.endpoint)
        assert station.storage.drivers.names() == []
        assert (await client.get(CSINode, "n1")).spec.drivers == ()

    serve(tmp_path, story)


def test_a_driver_that_knows_nothing_of_the_node_is_not_there(tmp_path: Path) -> None:
    async def story(driver: CsiDriver, handler: CsiHandler, station: Station, client: Client) -> None:
        driver.fail("NodeGetInfo", grpc.StatusCode.INTERNAL, "lost")
        with pytest.raises(PluginError, match="rpc error: code = Internal desc = lost"):
            await register(driver.registration, {handler.kind: handler}, SystemClock())
        assert station.storage.drivers.names() == []

    serve(tmp_path, story)


@pytest.mark.parametrize(("versions", "why"), [
    ((), "Plugin returned an empty list for supported versions"),
    (("0.3.0", "x"), r'None of the versions specified \["0.3.0" "x"\] are supported'), (("2.0.0",), "None of"),
    (("9" * 5000,), "None of"),
    (("1.5.0",), ""), (("0.3.0", "v1.0"), ""),
])  # fmt: skip
def test_versions(tmp_path: Path, versions: tuple[str, ...], why: str) -> None:
    async def main() -> None:
        handler = CsiHandler.__new__(CsiHandler)
        if why:
            with pytest.raises(PluginError, match=why):
                await handler.validate("d", "/s", versions)
        else:
            await handler.validate("d", "/s", versions)

    asyncio.run(main())
