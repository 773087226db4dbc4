"""Where a proxied pod, service or node is found: scheme, address and port of what the path names. Pure.

A path names `[scheme:]name[:port]`. Source: ResourceLocation in pkg/registry/core/{pod,service,node},
SplitSchemeNamePort in apimachinery/pkg/util/net, pkg/proxy/util (IsProxyableIP), and how Go's dialler words failures.
"""

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pilothouse.api.machinery.errors import BadRequest, ServiceUnavailable
from pilothouse.api.machinery.whole_numbers import int_or
from pilothouse.apiserver.streaming.location import kubelet_of
from pilothouse.runtime.chance import Chance

_SCHEMES = ("", "http", "https")
_KNOWN_PORTS = {"http": 80, "https": 443}
"""Ports that have a name everywhere."""
Allowed = Callable[[str], bool]
"""Whether an address may be dialled on behalf of a client."""


@dataclass(frozen=True, slots=True)
class Named:
    """What a path names."""

    text: str
    """As it stands there."""
    scheme: str
    name: str
    port: str


@dataclass(frozen=True, slots=True)
class Location:
    """Where the request goes."""

    scheme: str
    host: str
    port: str
    """A number or a well-known name; empty for the scheme's own."""
    kubelet: bool = False
    """It is the kubelet of a node, whose certificate is verified and who is shown ours."""

    @property
    def authority(self) -> str:
        """Host and port as a URL writes them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" if self.port else host

    def number(self) -> int:
        """The port to dial. Raises OSError, in the dialler's words, for one that does not exist."""
        port = self.port or self.scheme
        if not port.isascii() or not port.isdecimal():
            if port not in _KNOWN_PORTS:
                raise OSError(f"dial tcp: lookup tcp/{port}: unknown port")
            return _KNOWN_PORTS[port]
        number = int_or(-1, port)
        if not 0 <= number <= 0xFFFF:
            raise OSError(f"dial tcp: address {port}: invalid port")
        return number


def named(kind: str, text: str) -> Named:
    """Take the name in the path of a `kind` apart. Raises BadRequest."""
    parts = text.split(":")
    scheme = parts.pop(0) if len(parts) == 3 else ""
    if len(parts) > 2 or not parts[0] or scheme not in _SCHEMES:
        raise BadRequest(f'invalid {kind} request "{text}"')
    return Named(text, scheme, parts[0], parts[1] if len(parts) == 2 else "")


def may_be_proxied(address: str) -> bool:
    """Whether an address is one of the network: not this machine, not this link, not many at once."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    local = found.is_loopback or found.is_link_local or found.is_unspecified
    return not local and not found.is_multicast and address != "255.255.255.255"


def pod_location(pod: Mapping[str, Any], wanted: Named, allowed: Allowed) -> Location:
    """A pod at the port that is named, else at the first that a container declares. Raises BadRequest."""
    declared = (port for container in pod["spec"].get("containers") or () for port in container.get("ports") or ())
    port = wanted.port or str(next((each["containerPort"] for each in declared), ""))
    addresses = (pod.get("status") or {}).get("podIPs") or ()
    address = addresses[0]["ip"] if addresses else ""
    if not allowed(address):
        raise BadRequest("address not allowed")
    return Location(wanted.scheme or "http", address, port)


def node_location(node: Mapping[str, Any], wanted: Named) -> Location:
    """A node's kubelet, or another port of the node, whose address is still to be checked. Raises StatusError."""
    kubelet = kubelet_of(node)
    if wanted.port in ("", str(kubelet.port)):
        return Location("https", kubelet.host, str(kubelet.port), kubelet=True)
    return Location(wanted.scheme or "http", kubelet.host, wanted.port)


def service_location(
    service: Mapping[str, Any],
    slices: Sequence[Mapping[str, Any]],
    pod_of: Callable[[str], Mapping[str, Any] | None],
    wanted: Named,
    allowed: Allowed,
    chance: Chance,
) -> Location:
    """One of the ready pods behind a service's port, by its name or number. Raises ServiceUnavailable.

    `pod_of` knows the pods of the service's namespace. An address counts only when a pod of that namespace has it:
    whoever may write endpoints may not thereby have us call any address.
    """
    port = _port_name(service, wanted)
    if not any(part.get("endpoints") for part in slices):
        raise ServiceUnavailable(f'no endpoints available for service "{wanted.name}"')
    candidates = [
        (address, number, endpoint)
        for part in slices
        if part.get("addressType") in ("IPv4", "IPv6")
        for number in _numbers(part, port)
        for endpoint in part.get("endpoints") or ()
        if (endpoint.get("conditions") or {}).get("ready") is not False
        for address in endpoint.get("addresses") or ()
    ]
    for address, number, endpoint in _from_anywhere(candidates, chance):
        if allowed(address) and _is_of_pod(address, endpoint, service["metadata"]["namespace"], pod_of):
            return Location(wanted.scheme or "http", address, str(number))
    raise ServiceUnavailable(f'no endpoints available for service "{wanted.text}"')


def _port_name(service: Mapping[str, Any], wanted: Named) -> str:
    if not wanted.port.isascii() or not wanted.port.isdecimal():
        return wanted.port
    number = int_or(-1, wanted.port)
    for port in service["spec"].get("ports") or ():
        if port["port"] == number:
            return str(port.get("name") or "")
    raise ServiceUnavailable(f'no service port {number} found for service "{wanted.name}"')


def _numbers(part: Mapping[str, Any], name: str) -> Iterator[int]:
    for port in part.get("ports") or ():
        if (port.get("name") or "") == name and port.get("port"):
            yield port["port"]


def _from_anywhere(candidates: Sequence[Any], chance: Chance) -> Iterable[Any]:
    """All of them in their order, beginning at any."""
    begin = chance.below(len(candidates)) if candidates else 0
    return (*candidates[begin:], *candidates[:begin])


def _is_of_pod(
    address: str,
    endpoint: Mapping[str, Any],
    namespace: str,
    pod_of: Callable[[str], Mapping[str, Any] | None],
) -> bool:
    target = endpoint.get("targetRef") or {}
    if target.get("kind", "Pod") != "Pod" or target.get("namespace") != namespace or not target.get("name"):
        return False
    pod = pod_of(target["name"])
    addresses = ((pod or {}).get("status") or {}).get("podIPs") or ()
    return any(each.get("ip") == address for each in addresses)
