"""Where a pod's logs and streams are found: on which node, under which path, with which parameters. Pure.

Source: pkg/registry/core/pod/strategy.go (LogLocation, streamLocation, PortForwardLocation), ValidatePodLogOptions,
and the kubelet's own API: /containerLogs, /exec, /attach, /portForward.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from pilothouse.api.machinery import errors
from pilothouse.api.machinery.errors import BadRequest, StatusError
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.whole_numbers import parse_int
from pilothouse.apiserver.request_info import RequestInfo
from pilothouse.net.remote_command import Wanted
from pilothouse.runtime.clock import parse_time

_ADDRESSES = ("InternalIP", "ExternalIP", "Hostname")
"""Which address of a node is dialled, the best first."""
_KUBELET_PORT = 10250
_FLAGS = ("follow", "previous", "timestamps")
_NUMBERS = ("sinceSeconds", "tailLines", "limitBytes")
_LEAST = {"sinceSeconds": (1, "must be greater than 0"), "limitBytes": (1, "must be greater than 0"),
          "tailLines": (0, "must be greater than or equal to 0")}  # fmt: skip
_STREAMS = {"stdin": "input", "stdout": "output", "stderr": "error", "tty": "tty"}
"""How the kubelet calls the API's parameters."""


@dataclass(frozen=True, slots=True)
class Kubelet:
    """The address of a node's kubelet."""

    host: str
    port: int

    @property
    def authority(self) -> str:
        """Host and port as a URL writes them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def kubelet_of(node: Mapping[str, Any]) -> Kubelet:
    """Where a node's kubelet listens. Raises StatusError when the node does not say."""
    status = node.get("status") or {}
    addresses = status.get("addresses") or []
    port = ((status.get("daemonEndpoints") or {}).get("kubeletEndpoint") or {}).get("Port") or _KUBELET_PORT
    for kind in _ADDRESSES:
        for address in addresses:
            if address.get("type") == kind and address.get("address"):
                return Kubelet(address["address"], port)
    known = " ".join(f"{{{address.get('type')} {address.get('address')}}}" for address in addresses)
    raise StatusError(f"no preferred addresses found; known addresses: [{known}]")


def log_target(pod: Mapping[str, Any], info: RequestInfo) -> str:
    """The kubelet's path and query for a container's log. Raises Invalid or BadRequest."""
    numbers = {name: _number(info, name) for name in _NUMBERS if info.value(name)}
    _check_log_options(info, numbers)
    container = choose_container(pod, info.value("container"))
    query: list[tuple[str, str]] = [(name, "true") for name in _FLAGS if info.flag(name)]
    query += [(name, str(value)) for name, value in numbers.items()]
    if info.value("sinceTime"):
        query.append(("sinceTime", info.value("sinceTime")))
    if info.value("stream") not in ("", "All"):
        query.append(("stream", info.value("stream")))
    return _target("containerLogs", pod, container, query)


def command_target(pod: Mapping[str, Any], part: str, options: Mapping[str, Any]) -> str:
    """The kubelet's path and query for exec and attach. Raises BadRequest."""
    container = choose_container(pod, options.get("container", ""))
    _require_node(pod)
    query = [(called, "1") for name, called in _STREAMS.items() if options.get(name)]
    query += [("command", word) for word in options.get("command") or ()]
    return _target(part, pod, container, query)


def port_forward_target(pod: Mapping[str, Any], options: Mapping[str, Any]) -> str:
    """The kubelet's path and query for port-forward. Raises BadRequest."""
    _require_node(pod)
    ports = [str(port) for port in options.get("ports") or ()]
    return _target("portForward", pod, "", [("port", ",".join(ports))] if ports else [])


def wanted_streams(options: Mapping[str, Any]) -> Wanted:
    """The streams that a client asks exec or attach for."""
    return Wanted(*(bool(options.get(name)) for name in ("stdin", "stdout", "stderr", "tty")))


def choose_container(pod: Mapping[str, Any], wanted: str) -> str:
    """The container that is meant. Raises BadRequest, naming the choice, when that is not clear."""
    name, spec = pod["metadata"]["name"], pod["spec"]
    containers, init = _names(spec.get("containers")), _names(spec.get("initContainers"))
    if wanted:
        if wanted not in (*containers, *init, *_names(spec.get("ephemeralContainers"))):
            raise BadRequest(f"container {wanted} is not valid for pod {name}")
        return wanted
    if len(containers) == 1:
        return containers[0]
    text = f"a container name must be specified for pod {name}"
    if containers:
        text += f", choose one of: [{' '.join(containers)}]"
    if containers and init:
        text += f" or one of the init containers: [{' '.join(init)}]"
    raise BadRequest(text)


def _names(containers: Iterable[Mapping[str, Any]] | None) -> list[str]:
    return [container["name"] for container in containers or ()]


def _require_node(pod: Mapping[str, Any]) -> None:
    if not pod["spec"].get("nodeName"):
        raise BadRequest(f"pod {pod['metadata']['name']} does not have a host assigned")


def _target(verb: str, pod: Mapping[str, Any], container: str, query: list[tuple[str, str]]) -> str:
    metadata = pod["metadata"]
    parts = [verb, metadata["namespace"], metadata["name"], *([container] if container else [])]
    path = "/" + "/".join(quote(part, safe="") for part in parts)
    return f"{path}?{urlencode(query)}" if query else path


def _number(info: RequestInfo, name: str) -> int:
    text = info.value(name)
    try:
        return parse_int(text)
    except ValueError as error:
        raise BadRequest(str(error)) from None


def _check_log_options(info: RequestInfo, numbers: Mapping[str, int]) -> None:
    wrong = FieldErrors()
    for name, value in numbers.items():
        least, text = _LEAST[name]
        if value < least:
            wrong.invalid(name, value, text)
    if info.value("sinceTime"):
        if "sinceSeconds" in numbers:
            wrong.forbidden("", "at most one of `sinceTime` or `sinceSeconds` may be specified")
        try:
            parse_time(info.value("sinceTime"))
        except ValueError:
            raise BadRequest(f'parsing time "{info.value("sinceTime")}": not an RFC 3339 time') from None
    if info.value("stream") not in ("", "All", "Stdout", "Stderr"):
        wrong.not_supported("stream", info.value("stream"), ["All", "Stderr", "Stdout"])
    if wrong:
        raise errors.invalid("PodLogOptions", "", info.name, wrong)
