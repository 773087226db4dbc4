"""How many volumes the node may have, as its drivers say from time to time."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kubelet.csi_station import NAME, CsiStation, serve
from pilothouse.api.types.core_v1 import Node
from pilothouse.api.types.storage_v1 import CSINode
from pilothouse.kubelet.csi.client import DriverInfo
from pilothouse.kubelet.csi.node_info import NodeInfo
from pilothouse.kubelet.parts import csi_limits
from pilothouse.kubelet.parts.csi_limits import CsiLimits
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.cluster import Cluster


@pytest.mark.parametrize("period", [0.01, None])
def test_a_driver_is_asked_when_it_wants_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, period: float | None
) -> None:
    monkeypatch.setattr(csi_limits, "PERIOD", 0.01)

    async def story(station: CsiStation, driver: Any) -> None:
        async with Cluster(station.clock, Chance(1)) as cluster, Tasks() as tasks:
            client = cluster.client()
            await client.create(Node, {"metadata": {"name": "n1"}})
            await NodeInfo(client, "n1").install(NAME, DriverInfo("node-1", 3))
            driver.info = {"node_id": "node-1", "max_volumes_per_node": 7}
            station.wish(nodeAllocatableUpdatePeriodSeconds=period)
            context = SimpleNamespace(
                client=client, config=SimpleNamespace(node_name="n1"), tasks=tasks,
                services=SimpleNamespace(clock=station.clock, storage=station.storage),
            )  # fmt: skip
            tasks.spawn(CsiLimits().run(cast("Any", context)), name="limits")
            if period is None:
                await station.clock.sleep(0.1)
                assert "NodeGetInfo" not in driver.calls()
            else:
                async with station.clock.timeout(20):
                    while (await client.get(CSINode, "n1")).spec.drivers[0].allocatable.count != 7:
                        await station.clock.sleep(0.01)
            tasks.cancel_all()

    serve(tmp_path, story)
