"""Nodes without a runtime: their pods go through their life without containers."""

from pilothouse.cluster.access import connect
from pilothouse.cluster.home import Home
from pilothouse.cluster.role import Ready
from pilothouse.cluster.settings import Settings
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock
from pilothouse.testing import simulated_node
from pilothouse.testing.simulated_node import SimulatedNodesConfig


async def run(home: Home, settings: Settings, clock: Clock, chance: Chance, ready: Ready) -> None:
    """Be as many nodes as the cluster was made with, until cancelled."""
    client = await connect(home, settings, "simulated", "simulated", clock, "pilothouse-simulated-nodes")
    config = SimulatedNodesConfig(count=settings.simulated_nodes)
    await simulated_node.run(config, client, clock, chance, ready)
