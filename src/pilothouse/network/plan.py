"""Plan: what a node's pod network consists of, from its configuration and its podCIDR. Pure.

Names carry the cluster's, so that several clusters on one machine do not meet.
"""

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from pilothouse.api.types.core_v1 import Node

_LINK_NAME = 15
"""The longest name of a link (IFNAMSIZ)."""

HOST_PORTS = "CNI-HOSTPORT-DNAT CNI-HOSTPORT-SETMARK CNI-HOSTPORT-MASQ"
"""What the plug-in `portmap` makes with the first host port and leaves behind; other runtimes may use it as well. Ours
to remove where it was not there before, once nobody uses it."""

BASE_TABLES = ("ip nat", "ip6 nat")
"""What iptables makes for those chains, and keeps: ours to remove under the same conditions."""


class Made(Enum):
    """The sorts of things that a network makes outside the cluster's home."""

    LINK = "link"
    ADDRESS = "address"
    TABLE = "table"
    ROUTE = "route"
    SYSCTL = "sysctl"
    RULE = "iptables"
    CHAINS = "chains"
    EMPTY_TABLE = "empty table"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Trace:
    """One thing made outside the cluster's home, as the inventory names it."""

    made: Made
    name: str
    """The link; the address, as ADDRESS/LENGTH@LINK; family and table; the network; the setting;
    the rule; the chains, of which the first is in use while it holds a rule; family and table of iptables; the path."""
    before: str = ""
    """What a setting was."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The pod network of one node."""

    bridge: str
    gateway: str
    """The node's own address among its pods, with the prefix length."""
    hardware: str
    """The bridge's hardware address, made of the gateway's, so that it is the same after a restart."""
    pods: str
    """The node's podCIDR."""
    dns: str
    """The cluster's DNS address with its prefix length, on this node's `lo`; empty: none."""
    table: str

    def traces(self) -> list[Trace]:
        """What will be made, before it is."""
        found = [Trace(Made.LINK, self.bridge), Trace(Made.TABLE, self.table)]
        if self.dns:
            found.append(Trace(Made.ADDRESS, f"{self.dns}@lo"))
        return found

    @property
    def passages(self) -> tuple[str, ...]:
        """The rules that let packets of pods through, where the machine drops what passes through it."""
        mark = f"-m comment --comment {self.bridge} -j ACCEPT"
        return (f"FORWARD -s {self.pods} {mark}", f"FORWARD -d {self.pods} {mark}")


def plan(cluster: str, pod_cidr: str, dns_address: str) -> Plan:
    """The network of a node that got this podCIDR."""
    pods = ipaddress.ip_network(pod_cidr)
    gateway = pods.network_address + 1
    return Plan(
        bridge=bridge_name(cluster),
        gateway=f"{gateway}/{pods.prefixlen}",
        hardware="0a:58:" + gateway.packed[-4:].hex(":"),
        pods=str(pods),
        dns=str(ipaddress.ip_interface(dns_address)) if dns_address else "",
        table=table_name(cluster),
    )


def bridge_name(cluster: str) -> str:
    """The bridge that the pods of a cluster stand on."""
    return f"ph-{cluster}"[:_LINK_NAME]


def table_name(cluster: str) -> str:
    """The nftables table of a cluster's network."""
    return f"ip pilothouse-{cluster}-network"


def cni_configuration(planned: Plan, data: str, mtu: int = 0) -> dict[str, Any]:
    """The configuration that the runtime hands to the CNI plugins, with its addresses kept below `data`."""
    bridge = {
        "type": "bridge",
        "bridge": planned.bridge,
        "isGateway": True,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "dataDir": data,
            "ranges": [[{"subnet": planned.pods}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    if mtu:
        bridge["mtu"] = mtu
    portmap = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "0.4.0", "name": "pilothouse", "plugins": [bridge, portmap]}


def rules(planned: Plan, cluster_cidr: str, *, bridged: bool) -> str:
    """The nftables script of the network: pods leave the cluster under the node's address.

    Where bridged packets do not pass the IP rules, an answer from one pod to another of the same node would miss the
    translation back; such connections are then led through the node by masquerading them.
    """
    name, bridge = planned.table, planned.bridge
    leave = f"ip saddr {planned.pods} ip daddr != {cluster_cidr} oifname != {{ {bridge}, lo }} masquerade fully-random"
    back = "" if bridged else (
        f"add rule {name} postrouting iifname {bridge} oifname {bridge} ct status dnat masquerade fully-random\n"
    )  # fmt: skip
    return (
        f"add table {name}\ndelete table {name}\nadd table {name}\n"
        f"add chain {name} postrouting {{ type nat hook postrouting priority 100; }}\n"
        f"add rule {name} postrouting {leave}\n{back}"
    )


def host_routes(nodes: Iterable[Node], own: str) -> Mapping[str, str]:
    """The gateway to the pods of every other node: its internal address, on one segment with ours."""
    found: dict[str, str] = {}
    for node in nodes:
        internal = next((a.address for a in node.status.addresses if a.type == "InternalIP"), "")
        if node.metadata.name != own and internal and node.spec.podCIDR:
            found[node.spec.podCIDR] = internal
    return found
