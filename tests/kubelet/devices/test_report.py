"""The node's status tells of devices."""

from pathlib import Path
from typing import Any, cast

from kubelet.devices.handing_out import BAD, GOOD, Bench, serve
from pilothouse.kubelet.devices.report import DeviceReport


def test_devices_are_told_beside_what_else_there_is(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        async with bench.plugin(a=GOOD, b=BAD) as plugin:
            await bench.connect(plugin)
            shared = {"cpu": "2"}
            status: dict[str, Any] = {"capacity": shared, "allocatable": shared}
            await DeviceReport(bench.devices).amend(status, cast("Any", None))
            assert status["capacity"] == {"cpu": "2", "example.com/foo": "2"}
            assert status["allocatable"] == {"cpu": "2", "example.com/foo": "1"}

    serve(tmp_path, story)
