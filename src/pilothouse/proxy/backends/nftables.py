"""nftables: services as maps, so that a packet costs the same among ten services and ten thousand.

`services` and `node-ports` map protocol, address and port to the chain of a service port; that chain chooses among
its targets by `numgen random` and translates. Packets of services that have nobody are refused (or dropped, where
another node may serve them) before any translation. What must come back through this node is masqueraded: traffic
from outside the pods, and a pod reaching itself. The table carries the cluster's name, so clusters do not meet.
Follows KEP-3866; nft(8).
"""

import hashlib

from pilothouse.linux.nftables import Nft
from pilothouse.proxy.ruleset import Chain, Elements, Ruleset, change, remove, replace
from pilothouse.proxy.table import Destinations, Portal, ServiceTable, Target

_MARK = "0x4000"
"""The bit of the packet mark that asks for masquerading; upstream's."""
_ASK = f"meta mark set meta mark or {_MARK}"
_TO_ADDRESS = "meta l4proto . ip daddr . th dport"
_TO_PORT = "fib daddr type local ip daddr != 127.0.0.0/8 meta l4proto . th dport"


class NftablesBackend:
    """The service table in the kernel."""

    def __init__(self, cluster: str, cluster_cidr: str, nft: Nft | None = None) -> None:
        self._table = table_name(cluster)
        self._pods = cluster_cidr
        self._nft = nft or Nft()

    def render(self, table: ServiceTable) -> Ruleset:
        """The rules for a table. Pure."""
        return render(table, self._table, self._pods)

    async def apply(self, new: Ruleset, old: Ruleset | None) -> None:
        """Put them into the kernel in one transaction; without `old`, whatever is there. Raises NftError."""
        script = replace(new) if old is None else change(old, new)
        if script:
            await self._nft.apply(script)


async def cleanup(cluster: str, nft: Nft | None = None) -> None:
    """Remove every rule of a cluster's proxy; nothing is done where there are none."""
    await (nft or Nft()).apply(remove(table_name(cluster)))


def table_name(cluster: str) -> str:
    """The table of a cluster."""
    return f"ip pilothouse-{cluster}-proxy"


def render(table: ServiceTable, name: str, pods: str) -> Ruleset:
    """The rules for a table."""
    building = _Building(pods)
    for portal in table.portals:
        building.add(portal)
    return building.ruleset(name)


class _Building:
    """A ruleset being put together, a service port at a time."""

    def __init__(self, pods: str) -> None:
        self._from_outside = f"ip saddr != {pods} {_ASK}"
        self.chains: dict[str, Chain] = dict(_fixed_chains())
        self.services: dict[str, str] = {}
        self.node_ports: dict[str, str] = {}
        self.refused: dict[str, str] = {}
        self.refused_ports: dict[str, str] = {}
        self.cluster_ips: dict[str, str] = {}
        self.hairpins: dict[str, str] = {}
        self.sets: dict[str, Elements] = {}

    def add(self, portal: Portal) -> None:
        """Add a service port."""
        chain = _chain_name("service", portal.name)
        for address in portal.cluster_ips:
            self.cluster_ips[address] = ""
            place = f"{portal.protocol} . {address} . {portal.port}"
            self._lead(self.services, self.refused, place, portal.inside, chain)
        for group in (portal.inside, portal.outside):
            self.hairpins.update({f"{target.address} . {target.address}": "" for target in group.targets})
        if portal.inside.targets:
            self.chains[chain] = Chain((self._from_outside, *self._choice(portal, portal.inside)))
        if portal.external_ips or portal.node_port:
            self._add_outside(portal)

    def _add_outside(self, portal: Portal) -> None:
        chain = _chain_name("external", portal.name)
        for address in portal.external_ips:
            place = f"{portal.protocol} . {address} . {portal.port}"
            self._lead(self.services, self.refused, place, portal.outside, chain)
        if portal.node_port:
            place = f"{portal.protocol} . {portal.node_port}"
            self._lead(self.node_ports, self.refused_ports, place, portal.outside, chain)
        if not portal.outside.targets:
            return
        allowed: tuple[str, ...] = ()
        if portal.sources and portal.external_ips:
            networks, addresses = ", ".join(portal.sources), ", ".join(portal.external_ips)
            allowed = (f"ip daddr {{ {addresses} }} ip saddr != {{ {networks} }} drop",)
        mark = () if portal.outside.local else (_ASK,)
        self.chains[chain] = Chain((*allowed, *mark, *self._choice(portal, portal.outside)))

    @staticmethod
    def _lead(places: dict[str, str], refused: dict[str, str], place: str, to: Destinations, chain: str) -> None:
        if to.targets:
            places[place] = f"goto {chain}"
        else:
            refused[place] = "drop" if to.local and to.elsewhere else "goto refuse"

    def _choice(self, portal: Portal, to: Destinations) -> tuple[str, ...]:
        """The rules that choose a target and translate."""
        if portal.affinity:
            return self._affine_choice(portal, to)
        translate = f"meta l4proto {portal.protocol} dnat ip to"
        if len(to.targets) == 1:
            return (f"{translate} {to.targets[0].address}:{to.targets[0].port}",)
        places = ", ".join(f"{n} : {t.address} . {t.port}" for n, t in enumerate(to.targets))
        return (f"{translate} numgen random mod {len(to.targets)} map {{ {places} }}",)

    def _affine_choice(self, portal: Portal, to: Destinations) -> tuple[str, ...]:
        """A client that came within the time goes where it went; the set of each target remembers its clients."""
        known: list[str] = []
        targets: list[str] = []
        for number, target in enumerate(to.targets):
            chain, clients = self._affine_target(portal, target)
            known.append(f"ip saddr @{clients} goto {chain}")
            targets.append(f"{number} : goto {chain}")
        return (*known, f"numgen random mod {len(targets)} vmap {{ {', '.join(targets)} }}")

    def _affine_target(self, portal: Portal, target: Target) -> tuple[str, str]:
        place = f"{portal.name}/{target.address}/{target.port}"
        chain, clients = _chain_name("endpoint", place), _chain_name("clients", place)
        self.sets[clients] = Elements(f"type ipv4_addr; flags dynamic,timeout; timeout {portal.affinity}s; size 65536")
        remember = f"update @{clients} {{ ip saddr }}"
        translate = f"meta l4proto {portal.protocol} dnat ip to {target.address}:{target.port}"
        self.chains[chain] = Chain((remember, translate))
        return chain, clients

    def ruleset(self, name: str) -> Ruleset:
        """What was built."""
        by_address, by_port = "inet_proto . ipv4_addr . inet_service", "inet_proto . inet_service"
        sets = {
            "services": Elements(f"type {by_address} : verdict", self.services, is_map=True),
            "node-ports": Elements(f"type {by_port} : verdict", self.node_ports, is_map=True),
            "refused": Elements(f"type {by_address} : verdict", self.refused, is_map=True),
            "refused-ports": Elements(f"type {by_port} : verdict", self.refused_ports, is_map=True),
            "cluster-ips": Elements("type ipv4_addr", self.cluster_ips),
            "hairpins": Elements("type ipv4_addr . ipv4_addr", self.hairpins),
        }
        return Ruleset(name, self.chains, {**sets, **self.sets})


def _fixed_chains() -> dict[str, Chain]:
    lead = (f"{_TO_ADDRESS} vmap @services", f"{_TO_PORT} vmap @node-ports")
    refuse = (f"{_TO_ADDRESS} vmap @refused", f"{_TO_PORT} vmap @refused-ports")
    early = "type filter hook {} priority -110"
    # A packet that still goes to a cluster IP after translation asks for a port that no service has.
    astray = "ct state new ip daddr @cluster-ips goto refuse"
    return {
        "lead": Chain(lead),
        "refuse": Chain(("meta l4proto tcp reject with tcp reset", "reject")),
        "check": Chain(refuse),
        "input": Chain(("ct state new jump check",), early.format("input")),
        "forward": Chain(("ct state new jump check", astray), early.format("forward")),
        "output": Chain(("ct state new jump check",), early.format("output")),
        "output-after": Chain((astray,), "type filter hook output priority -90"),
        "nat-prerouting": Chain(("jump lead",), "type nat hook prerouting priority -100"),
        "nat-output": Chain(("jump lead",), "type nat hook output priority -100"),
        "nat-postrouting": Chain(
            (
                f"meta mark and {_MARK} != 0 meta mark set meta mark xor {_MARK} masquerade fully-random",
                "ip saddr . ip daddr @hairpins masquerade fully-random",
            ),
            "type nat hook postrouting priority 100",
        ),
    }


def _chain_name(kind: str, place: str) -> str:
    """A name that nft takes, is unique, and tells a reader what it is."""
    mark = hashlib.sha256(place.encode()).hexdigest()[:8]
    return f"{kind}-{mark}-{place.rstrip('/')}"[:120]
