"""Connections as admission sees them: the operation CONNECT, on the options that the client asks with.

They are read from the query, as the parameters of exec, attach, port-forward and proxy; what plugins make of them is
what is asked of the backend. A log is read, not connected to. Source: ConnectResource and getRequestOptions in
apiserver/pkg/endpoints/handlers; how parameters become options: apimachinery/pkg/runtime/converter.go and
pkg/conversion/queryparams. (*Assumed*: what the client leaves out stays out; upstream's defaults for stdout and stderr
belong to the objects and are not applied to parameters.)
"""

from typing import Any

from pilothouse.api.machinery.errors import BadRequest
from pilothouse.api.machinery.resource import Resource, Subresource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.machinery.whole_numbers import UINT16, parse_int
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.pipeline.pipeline import Admission
from pilothouse.apiserver.pipeline.write import Operation, Write
from pilothouse.apiserver.request_info import RequestInfo

_FLAGS = ("stdin", "stdout", "stderr", "tty")


async def admit_connection(
    admission: Admission, exchange: Exchange, resource: Resource[Any], part: Subresource
) -> JsonObject:
    """The options, as admission leaves them. Raises what plugins refuse with, and BadRequest for what is no option."""
    info = exchange.info
    if "dryRun" in info.query:
        raise BadRequest("dryRun is not supported")
    options = {"kind": part.kind, "apiVersion": "v1", **_options(info)}
    write = Write(exchange, resource, Operation.CONNECT, info.namespace, info.name, options, subresource=part)
    await admission.mutate(write)
    await admission.validate(write)
    return write.new or options


def _options(info: RequestInfo) -> JsonObject:
    match info.subresource:
        case "exec":
            return {**_streams(info), "command": list(info.query.get("command", ()))}
        case "attach":
            return _streams(info)
        case "portforward":
            return {"ports": _ports(info)} if "ports" in info.query else {}
    return {"path": info.remainder.strip("/")}


def _streams(info: RequestInfo) -> JsonObject:
    flags = {name: True for name in _FLAGS if info.flag(name)}
    return {**flags, "container": info.value("container")} if info.value("container") else flags


def _ports(info: RequestInfo) -> list[int]:
    texts = [text for value in info.query["ports"] for text in value.split(",")]
    try:
        return [parse_int(text, function="ParseUint", within=UINT16) for text in texts]
    except ValueError as error:
        raise BadRequest(f"cannot convert to []int32: {error}") from None
