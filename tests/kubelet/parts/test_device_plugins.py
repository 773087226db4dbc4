"""The kubelet's socket is there from the start, and the node tells of what comes."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from fakes.device_plugin import RESOURCE
from kubelet.devices.handing_out import BAD, GOOD, Bench, serve, user
from pilothouse.kubelet.node_report import NodeReport
from pilothouse.kubelet.parts.device_plugins import DeviceRegistration
from pilothouse.runtime.metrics import Metrics
from pilothouse.runtime.tasks import Tasks


def test_a_plugin_registers_and_the_node_tells_of_its_devices(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        reports: list[NodeReport] = []
        refreshed: list[int] = []
        poked: list[str] = []
        agent = SimpleNamespace(join=reports.append, refresh=lambda: refreshed.append(1))
        services = SimpleNamespace(devices=bench.devices, clock=bench.clock)
        metrics = Metrics()
        workers = SimpleNamespace(poke=poked.append)
        context = cast("Any", SimpleNamespace(services=services, agent=agent, metrics=metrics, workers=workers))
        stale, socket = bench.directory / "stale.sock", bench.directory / "kubelet.sock"
        bench.directory.mkdir()
        stale.touch()
        async with Tasks() as tasks:
            running = tasks.spawn(DeviceRegistration().run(context), name="part")
            await bench.until(socket.exists)
            assert not stale.exists()
            async with bench.plugin(a=GOOD) as plugin:
                await plugin.register(socket)
                await bench.until(lambda: bench.devices.amounts()[1] == {RESOURCE: "1"})
                status: dict[str, Any] = {"capacity": {}, "allocatable": {}}
                await reports[0].amend(status, cast("Any", None))
                assert status["allocatable"] == {RESOURCE: "1"}
                assert refreshed
                assert await bench.refused(user("web")) == ""
                plugin.set(a=BAD)
                await bench.until(lambda: poked == ["uid-web"])
                running.cancel()
        counted = b'kubelet_device_plugin_registration_total{resource_name="example.com/foo"} 1.0'
        assert counted in metrics.page()

    serve(tmp_path, story)


def test_a_node_without_has_nothing_to_do() -> None:
    import asyncio

    context = cast("Any", SimpleNamespace(services=SimpleNamespace(devices=None, clock=None)))
    asyncio.run(DeviceRegistration().run(context))
