"""The cluster's DNS on this machine's node."""

from pilothouse.cluster.access import connect
from pilothouse.cluster.home import Home
from pilothouse.cluster.role import Ready
from pilothouse.cluster.settings import Settings
from pilothouse.dns import main
from pilothouse.dns.main import DnsConfig, machine_resolvers
from pilothouse.dns.server import Address
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock


async def run(home: Home, settings: Settings, clock: Clock, chance: Chance, ready: Ready) -> None:
    """Answer until cancelled."""
    client = await connect(home, settings, "dns", "dns", clock, "coredns")
    address = settings.dns_address
    config = DnsConfig(
        (Address(address),), settings.cluster_domain, address, machine_resolvers(but=[address]),
    )  # fmt: skip
    await main.run(config, client, clock, chance, ready)
