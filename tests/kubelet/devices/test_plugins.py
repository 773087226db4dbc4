"""Plugins come, tell of their devices, and go."""

from pathlib import Path

import pytest

from fakes.device_plugin import RESOURCE, DevicePlugin
from kubelet.devices.handing_out import BAD, GOOD, Bench, serve
from pilothouse.kubelet.devices.plugins import require_resource, require_version
from pilothouse.kubelet.plugins.unix_client import PluginError


def test_what_it_tells_is_known_each_time(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        heard: list[dict[str, str]] = []
        bench.devices.on_change(lambda: heard.append(bench.devices.amounts()[1]))
        async with bench.plugin(a=GOOD, b=GOOD) as plugin:
            await bench.connect(plugin)
            plugin.set(a=GOOD, b=BAD, c=BAD)
            await bench.until(lambda: bench.devices.amounts() == ({RESOURCE: "3"}, {RESOURCE: "1"}))
            plugin.set()
            await bench.until(lambda: bench.devices.amounts() == ({RESOURCE: "0"}, {RESOURCE: "0"}))
        await bench.until(lambda: len(heard) == 4)
        assert heard == [{RESOURCE: "2"}, {RESOURCE: "1"}, {RESOURCE: "0"}, {RESOURCE: "0"}]

    serve(tmp_path, story)


def test_who_registers_anew_takes_the_place_of_who_was_there(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        new = DevicePlugin(bench.directory / "new.sock", b=GOOD, c=GOOD)
        async with new:
            async with bench.plugin(a=GOOD) as old:
                await bench.connect(old)
                await bench.connect(new)
                await bench.until(lambda: bench.devices.amounts()[1] == {RESOURCE: "2"})
                old.set(a=GOOD)
                await bench.devices.plugins.disconnect(RESOURCE, old.socket)
            assert bench.devices.amounts()[1] == {RESOURCE: "2"}
            await bench.devices.plugins.disconnect(RESOURCE, new.socket)
            assert bench.devices.amounts() == ({RESOURCE: "2"}, {RESOURCE: "0"})

    serve(tmp_path, story)


def test_one_that_does_not_say_what_it_can_do_is_not_there(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        plugin = bench.plugin(a=GOOD)
        plugin.wrong["GetDevicePluginOptions"] = "who asks"
        async with plugin:
            message = "^failed to get device plugin options: rpc error: code = Unknown desc = who asks$"
            with pytest.raises(PluginError, match=message):
                await bench.devices.plugins.connect(RESOURCE, plugin.socket)
        assert bench.devices.plugins.endpoint(RESOURCE) is None
        with pytest.raises(PluginError, match=r"failed to get device plugin options: .* Unavailable"):
            await bench.devices.plugins.connect(RESOURCE, plugin.socket)

    serve(tmp_path, story)


def test_what_plugins_may_be_called_and_speak() -> None:
    require_resource("example.com/foo")
    require_version("v1beta1")
    for name in ("foo", "kubernetes.io/foo", "requests.example.com/foo", "example.com/"):
        with pytest.raises(PluginError, match=f'^the ResourceName "{name}" is invalid$'):
            require_resource(name)
    with pytest.raises(PluginError) as told:
        require_version("v2")
    assert str(told.value) == (
        'requested API version "v2" is not supported by kubelet. Supported version is ["v1beta1"]'
    )
