"""A device plugin below `plugins_registry` is taken in."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fakes.device_plugin import RESOURCE
from kubelet.devices.handing_out import GOOD, Bench, serve
from pilothouse.kubelet.plugins.handlers.device import DeviceHandler
from pilothouse.kubelet.plugins.registration import register
from pilothouse.kubelet.plugins.unix_client import PluginError


def handler_of(devices: Any) -> DeviceHandler:
    return DeviceHandler(cast("Any", SimpleNamespace(services=SimpleNamespace(devices=devices))))


def test_it_comes_and_goes(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        handler = handler_of(bench.devices)
        async with bench.plugin(a=GOOD) as plugin:
            taken = await register(plugin.socket, {handler.kind: handler}, bench.clock)
            await bench.until(lambda: bench.devices.amounts()[1] == {RESOURCE: "1"})
            assert plugin.told == [(True, "")]
            await handler.deregister(taken.name, taken.endpoint)
            assert bench.devices.amounts() == ({RESOURCE: "1"}, {RESOURCE: "0"})

    serve(tmp_path, story)


@pytest.mark.parametrize(
    ("name", "versions", "expected"),
    [
        (RESOURCE, ("v1", "v2"), "manager version, v1beta1, is not among plugin supported versions [v1 v2]"),
        ("foo", ("v1beta1",), 'invalid name of device plugin socket: the ResourceName "foo" is invalid'),
    ],
)
def test_what_will_not_do(name: str, versions: tuple[str, ...], expected: str, tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        with pytest.raises(PluginError) as told:
            await handler_of(bench.devices).validate(name, "/x", versions)
        assert str(told.value) == expected
        await handler_of(bench.devices).validate(RESOURCE, "/x", ("v1beta1", "v1"))
        with pytest.raises(PluginError, match="hands out no devices"):
            await handler_of(None).register(RESOURCE, "/x", ())

    serve(tmp_path, story)
