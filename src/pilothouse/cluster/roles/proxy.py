"""kube-proxy of this machine's node."""

from pilothouse.cluster.access import connect
from pilothouse.cluster.home import Home
from pilothouse.cluster.role import Ready
from pilothouse.cluster.settings import Settings
from pilothouse.proxy import main
from pilothouse.proxy.main import ProxyConfig
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock


async def run(home: Home, settings: Settings, clock: Clock, chance: Chance, ready: Ready) -> None:
    """Keep the rules until cancelled; they stay."""
    client = await connect(home, settings, "proxy", "proxy", clock, "kube-proxy")
    config = ProxyConfig(settings.node_name, home.cluster, settings.cluster_cidr)
    await main.run(config, client, clock, chance, ready)
