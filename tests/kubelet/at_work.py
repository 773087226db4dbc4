"""What a part of the kubelet is given to work with, around a node of the harness."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from kubelet.harness import FakeNode
from pilothouse.client.client import Client
from pilothouse.kubelet.config import KubeletConfig
from pilothouse.kubelet.node_agent import NodeAgent
from pilothouse.kubelet.part import NodeContext
from pilothouse.kubelet.pod_sources import API, PodSources
from pilothouse.kubelet.stats import Stats
from pilothouse.net.pki import KeyPair
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.metrics import Metrics
from pilothouse.runtime.tasks import Tasks


def context(node: FakeNode, tasks: Tasks, client: Client | None = None, **settings: Any) -> NodeContext:
    """All of it, but no node agent, and no client unless one is given. The API server has told of its pods."""
    config = KubeletConfig(
        node_name="n1", address="10.0.0.1", root=node.layout.root, logs=node.layout.logs, images=Path("/"),
        serving=KeyPair(b"", b""), client_authority=b"",
    )  # fmt: skip
    sources = PodSources()
    sources.seen(API)
    pods, services = lambda: node.workers.pods().values(), node.services
    stats = Stats(node.runtime, node.clock, pods, node.layout, services.cgroups, services.hierarchies)
    return NodeContext(
        config=replace(config, **settings), client=cast("Client", client), services=services, workers=node.workers,
        agent=cast("NodeAgent", None), metrics=Metrics(), chance=Chance(1), tasks=tasks, stats=stats,
        sources=sources,
    )  # fmt: skip
