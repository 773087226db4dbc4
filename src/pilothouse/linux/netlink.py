"""netlink: links, addresses and routes, each brought to the state asked for, whatever it was. rtnetlink(7).

Calls block for the microseconds that the kernel takes; async code runs them in a thread.
"""

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from ipaddress import IPv4Network, ip_interface
from pathlib import Path
from socket import AF_INET
from types import TracebackType
from typing import Self

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from pilothouse.linux import modules

ROUTE_PROTOCOL = 119
"""Marks the routes that are ours, so that only these are ever removed (/etc/iproute2/rt_protos; unassigned)."""
_BRIDGE_FILTER = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")
_HOST = 254
"""RT_SCOPE_HOST."""
_EXISTS = errno.EEXIST
_ABSENT = (errno.ENODEV, errno.EADDRNOTAVAIL, errno.ESRCH, errno.ENOENT)


class LinkError(OSError):
    """The kernel refused a change of links, addresses or routes."""


class Netlink:
    """The network namespace of the thread that opens it."""

    def __enter__(self) -> Self:
        self._route = IPRoute()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._route.close()

    def ensure_bridge(self, name: str, mtu: int = 0, hardware: str = "") -> None:
        """Let there be a bridge of this name, and let it be up.

        Without a hardware address of its own it takes the lowest of its ports: it changes as they come and go, and
        neighbours that remember the old one send into the void.
        """
        with _unless(_EXISTS, reason=f"cannot make bridge {name}"):
            self._route.link("add", ifname=name, kind="bridge")
        index = self._index(name)
        given = {key: value for key, value in (("mtu", mtu), ("address", hardware)) if value}
        with _unless(reason=f"cannot bring up {name}"):
            self._route.link("set", index=index, state="up", **given)

    def filter_bridged(self, name: str) -> bool:
        """Let packets between ports of the bridge pass the IP rules too; says whether this kernel can."""
        if not _BRIDGE_FILTER.exists():
            # The flag below may be set without br_netfilter; it then does nothing.
            modules.load("br_netfilter")
        try:
            self._route.link("set", index=self._index(name), kind="bridge", br_nf_call_iptables=1)
        except NetlinkError:
            return False
        return _BRIDGE_FILTER.exists()

    def ensure_address(self, link: str, address: str) -> None:
        """Let the link have an address, such as 10.244.0.1/24. On `lo` it is never the source of other traffic."""
        interface = ip_interface(address)
        whole = {"address": str(interface.ip), "prefixlen": interface.network.prefixlen}
        with _unless(_EXISTS, reason=f"cannot add {address} to {link}"):
            self._route.addr("add", index=self._index(link), **whole, scope=_HOST if link == "lo" else 0)

    def addresses(self, link: str) -> list[str]:
        """The addresses of a link, as ensure_address takes them."""
        found = self._route.get_addr(index=self._index(link))
        return [f"{each.get_attr('IFA_ADDRESS')}/{each['prefixlen']}" for each in found]

    def networks(self) -> list[IPv4Network]:
        """The IPv4 networks that this machine routes or has an address in, but for the default route."""
        routes = [(each.get_attr("RTA_DST"), each["dst_len"]) for each in self._route.get_routes(family=AF_INET)]
        owned = [(each.get_attr("IFA_ADDRESS"), each["prefixlen"]) for each in self._route.get_addr(family=AF_INET)]
        return [IPv4Network(f"{host}/{length}", strict=False) for host, length in (*routes, *owned) if host and length]

    def remove_address(self, link: str, address: str) -> None:
        """Take an address away; nothing is done where it is not."""
        interface = ip_interface(address)
        with _unless(*_ABSENT, reason=f"cannot remove {address} from {link}"):
            self._route.addr(
                "del", index=self._index(link), address=str(interface.ip), prefixlen=interface.network.prefixlen
            )

    def remove_link(self, name: str) -> None:
        """Remove a link; nothing is done where there is none."""
        found = self._route.link_lookup(ifname=name)
        if found:
            with _unless(*_ABSENT, reason=f"cannot remove {name}"):
                self._route.link("del", index=found[0])

    def has_link(self, name: str) -> bool:
        """Whether there is a link of this name."""
        return bool(self._route.link_lookup(ifname=name))

    def is_reachable(self, address: str) -> bool:
        """Whether packets to the address have a way."""
        try:
            self._route.route("get", dst=address)
        except NetlinkError:
            return False
        return True

    def ensure_route(self, network: str, *, gateway: str = "", link: str = "") -> None:
        """Let packets to a network go to a gateway, or out of a link."""
        way = {"gateway": gateway} if gateway else {"oif": self._index(link)}
        with _unless(reason=f"cannot route {network}"):
            self._route.route("replace", dst=network, proto=ROUTE_PROTOCOL, **way)

    def remove_route(self, network: str) -> None:
        """Remove our route to a network; nothing is done where there is none."""
        with _unless(*_ABSENT, reason=f"cannot remove the route to {network}"):
            self._route.route("del", dst=network, proto=ROUTE_PROTOCOL)

    def our_routes(self) -> Mapping[str, str]:
        """The gateways of our routes by network."""
        found = self._route.get_routes(proto=ROUTE_PROTOCOL)
        return {f"{r.get_attr('RTA_DST')}/{r['dst_len']}": r.get_attr("RTA_GATEWAY") or "" for r in found}

    def _index(self, name: str) -> int:
        found = self._route.link_lookup(ifname=name)
        if not found:
            raise LinkError(errno.ENODEV, f"there is no network link {name}")
        return int(found[0])


@contextmanager
def _unless(*expected: int, reason: str) -> Iterator[None]:
    """Name what was tried in the error; the expected error numbers are none."""
    try:
        yield
    except NetlinkError as error:
        if error.code not in expected:
            raise LinkError(error.code, f"{reason}: {error}") from error
