"""Where device plugins register: a socket beside which they put their own.

What lies there when the kubelet starts is removed, but for the record and for directories: plugins take that as the
sign to register again. Upstream: pkg/kubelet/cm/devicemanager/plugin/v1beta1/server.go.
"""

from collections.abc import Callable
from pathlib import Path

from google.protobuf.message import DecodeError

from pilothouse.kubelet.devices.handed_out import FILE
from pilothouse.kubelet.devices.plugins import DevicePlugins, require_resource, require_version
from pilothouse.kubelet.devices.table import PACKAGE, messages
from pilothouse.kubelet.plugins.unix_client import PluginError
from pilothouse.kubelet.plugins.unix_server import Handlers
from pilothouse.net.grpc_frames import GrpcCode
from pilothouse.runtime.log import Log

log = Log(__name__)
SOCKET = "kubelet.sock"


def clear(directory: Path) -> None:
    """Have no socket of an earlier kubelet's plugins there. Raises OSError."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o750)
    for path in directory.iterdir():
        if path.name != FILE and (path.is_symlink() or not path.is_dir()):
            path.unlink(missing_ok=True)


def registration(directory: Path, plugins: DevicePlugins, count: Callable[[str], None]) -> Handlers:
    """What answers there. `count` hears of every attempt, with the resource's name."""

    async def register(question: bytes) -> bytes:
        try:
            request = messages()["RegisterRequest"].FromString(question)
        except DecodeError as error:
            raise PluginError(str(error), GrpcCode.INTERNAL) from error
        count(request.resource_name)
        try:
            require_version(request.version)
            require_resource(request.resource_name)
            await plugins.connect(request.resource_name, directory / request.endpoint.lstrip("/"))
        except PluginError as error:
            log.warning("Bad registration request from device plugin", resource=request.resource_name, err=str(error))
            raise PluginError(str(error)) from error
        return b""

    return {f"/{PACKAGE}.Registration/Register": register}
