"""Node network: a plan carried out, and undone. Every step may be repeated, after a crash at any place.

What is made outside the cluster's home is told to `record` before it is made, so that `down` finds it in any case.
"""

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

import orjson

from pilothouse.linux.iptables import Iptables
from pilothouse.linux.netlink import Netlink
from pilothouse.linux.nftables import Nft
from pilothouse.network.plan import BASE_TABLES, HOST_PORTS, Made, Plan, Trace, cni_configuration, rules

Record = Callable[[Trace], None]
FORWARDING = "net.ipv4.ip_forward"
_SETTINGS = Path("/proc/sys")
CNI_FILE = "10-pilothouse.conflist"
_FRAME = re.compile(r"\s*(?:table .*\{|chain .*\{|type .* policy accept;|\})$")
"""Lines of a listed table that are no content."""


async def build(planned: Plan, *, cluster_cidr: str, service_cidr: str, mtu: int, record: Record, nft: Nft) -> None:
    """Make everything but the CNI configuration. Raises LinkError, NftError, IptablesError."""
    for trace in await _absent(nft):
        record(trace)
    for trace in planned.traces():
        record(trace)
    make = partial(_make_links, planned, service_cidr, mtu, record)
    bridged = await asyncio.get_running_loop().run_in_executor(None, make)
    await nft.apply(rules(planned, cluster_cidr, bridged=bridged))


async def _absent(nft: Nft) -> list[Trace]:
    """What host ports will bring about in the tables of iptables, as far as it is not there yet."""
    tables, chains = (await nft.list("tables")).splitlines(), await nft.list("chains")
    found = [Trace(Made.EMPTY_TABLE, name) for name in BASE_TABLES if f"table {name}" not in tables]
    return found if f"chain {HOST_PORTS.split()[0]} " in chains else [*found, Trace(Made.CHAINS, HOST_PORTS)]


def _make_links(planned: Plan, service_cidr: str, mtu: int, record: Record) -> bool:
    _set(FORWARDING, "1", record)
    with Netlink() as netlink:
        netlink.ensure_bridge(planned.bridge, mtu, planned.hardware)
        netlink.ensure_address(planned.bridge, planned.gateway)
        if planned.dns:
            netlink.ensure_address("lo", planned.dns)
        if service_cidr and not netlink.is_reachable(service_cidr.partition("/")[0]):
            # A packet of the node itself is routed before it is translated: without any way it would never leave.
            record(Trace(Made.ROUTE, service_cidr))
            netlink.ensure_route(service_cidr, link=planned.bridge)
        bridged = netlink.filter_bridged(planned.bridge)
    iptables = Iptables()
    if iptables.drops_forwarded():
        for rule in planned.passages:
            record(Trace(Made.RULE, rule))
            iptables.ensure_first(rule)
    return bridged


def _set(setting: str, value: str, record: Record) -> None:
    file = _SETTINGS / setting.replace(".", "/")
    before = file.read_text().strip()
    if before != value:
        record(Trace(Made.SYSCTL, setting, before))
        file.write_text(value)


def write_cni(planned: Plan, directory: Path, data: Path, mtu: int = 0) -> None:
    """Write the CNI configuration, whole or not at all: from then on the runtime says that the network is ready."""
    directory.mkdir(parents=True, exist_ok=True)
    content = orjson.dumps(cni_configuration(planned, str(data), mtu), option=orjson.OPT_INDENT_2)
    file = directory / CNI_FILE
    if file.exists() and file.read_bytes() == content:
        return
    partial_file = directory / f".{CNI_FILE}.new"
    partial_file.write_bytes(content)
    partial_file.replace(file)


async def remove(traces: Iterable[Trace], nft: Nft | None = None) -> None:
    """Undo what an inventory names, the latest first; what is gone already is no error."""
    nft = nft or Nft()
    for trace in reversed(list(traces)):
        if trace.made is Made.TABLE:
            await nft.apply(f"add table {trace.name}\ndelete table {trace.name}\n")
        elif trace.made is Made.EMPTY_TABLE:
            await _remove_empty(trace.name, nft)
        else:
            await asyncio.get_running_loop().run_in_executor(None, _remove, trace)


async def _remove_empty(table: str, nft: Nft) -> None:
    """Delete a table that holds nothing but chains without rules; others may use it by now."""
    if f"table {table}" not in (await nft.list("tables")).splitlines():
        return
    lines = (await nft.list(f"table {table}")).split("\n")
    if all(not line.strip() or _FRAME.match(line) for line in lines):
        await nft.apply(f"delete table {table}\n")


def _remove(trace: Trace) -> None:
    if trace.made is Made.SYSCTL:
        (_SETTINGS / trace.name.replace(".", "/")).write_text(trace.before)
        return
    if trace.made is Made.FILE:
        Path(trace.name).unlink(missing_ok=True)
        return
    if trace.made is Made.RULE:
        Iptables().remove(trace.name)
        return
    if trace.made is Made.CHAINS:
        Iptables().remove_idle(trace.name.split())
        return
    with Netlink() as netlink:
        if trace.made is Made.LINK:
            netlink.remove_link(trace.name)
        elif trace.made is Made.ROUTE:
            netlink.remove_route(trace.name)
        elif trace.made is Made.ADDRESS:
            address, _, link = trace.name.partition("@")
            netlink.remove_address(link, address)


def follow_routes(wanted: Mapping[str, str], record: Record) -> None:
    """Let our routes to the pods of other nodes be exactly these."""
    with Netlink() as netlink:
        present = {network: gateway for network, gateway in netlink.our_routes().items() if gateway}
        for network in present:
            if network not in wanted:
                netlink.remove_route(network)
        for network, gateway in wanted.items():
            if present.get(network) != gateway:
                record(Trace(Made.ROUTE, network))
                netlink.ensure_route(network, gateway=gateway)
