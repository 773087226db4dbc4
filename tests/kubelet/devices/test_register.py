"""Plugins register on the kubelet's socket, as they do with any kubelet."""

from pathlib import Path

import grpc.aio
import pytest

from fakes.device_plugin import RESOURCE
from kubelet.devices.handing_out import GOOD, Bench, serve
from pilothouse.kubelet.devices.handed_out import FILE
from pilothouse.kubelet.devices.register import SOCKET, clear, registration
from pilothouse.kubelet.plugins.unix_server import serve_unix


def test_a_plugin_registers_or_is_told_why_not(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        seen: list[str] = []
        socket = bench.directory / SOCKET
        handlers = registration(bench.directory, bench.devices.plugins, seen.append)
        async with serve_unix(socket, handlers, bench.clock), bench.plugin(a=GOOD) as plugin:
            await plugin.register(socket)
            await bench.until(lambda: bench.devices.amounts()[1] == {RESOURCE: "1"})
            with pytest.raises(grpc.aio.AioRpcError) as told:
                await plugin.register(socket, "v1alpha")
            assert 'requested API version "v1alpha" is not supported by kubelet' in str(told.value.details())
            assert told.value.code() is grpc.StatusCode.UNKNOWN
            plugin.resource = "cpu"
            with pytest.raises(grpc.aio.AioRpcError) as told:
                await plugin.register(socket)
            assert told.value.details() == 'the ResourceName "cpu" is invalid'
            plugin.resource, plugin.wrong = RESOURCE, {"GetDevicePluginOptions": "no"}
            with pytest.raises(grpc.aio.AioRpcError, match="failed to get device plugin options"):
                await plugin.register(socket)
            assert bench.devices.amounts()[1] == {RESOURCE: "1"}
        assert seen == [RESOURCE, RESOURCE, "cpu", RESOURCE]

    serve(tmp_path, story)


def test_what_lies_there_is_removed_but_for_the_record_and_directories(tmp_path: Path) -> None:
    directory = tmp_path / "d"
    clear(directory)
    (directory / "below").mkdir()
    (directory / "below" / "x").touch()
    for name in (FILE, "old.sock", "other"):
        (directory / name).touch()
    (directory / "link").symlink_to(directory / "below")
    clear(directory)
    assert sorted(path.name for path in directory.rglob("*")) == ["below", FILE, "x"]
