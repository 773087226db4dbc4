"""The scheduler's composition root. Upstream: cmd/kube-scheduler."""

from collections.abc import Callable
from dataclasses import dataclass, field

from pilothouse.client.client import Client
from pilothouse.client.events import EventRecorder
from pilothouse.client.informer import Informers
from pilothouse.client.leader_election import LeaderElector, Periods
from pilothouse.runtime.backoff import Growth
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.metrics import Metrics
from pilothouse.runtime.tasks import Tasks
from pilothouse.scheduler import profile
from pilothouse.scheduler.cycle import Cycle
from pilothouse.scheduler.framework import Tools
from pilothouse.scheduler.metrics import SchedulerMetrics
from pilothouse.scheduler.nodes import Nodes
from pilothouse.scheduler.queue import SchedulingQueue
from pilothouse.scheduler.reports import Reports
from pilothouse.scheduler.scheduler import Scheduler

LEASE = "kube-scheduler"


@dataclass(frozen=True, kw_only=True)
class SchedulerConfig:
    """How the scheduler runs."""

    scheduler_name: str = "default-scheduler"
    """It places the pods whose `spec.schedulerName` is this."""
    disabled_plugins: tuple[str, ...] = ()
    """Names of plugins to do without."""
    percentage_of_nodes_to_score: int = 100
    """After which share of nodes that would do the search ends. 0 is upstream's default, which adapts to the size of
    the cluster; here a question to all nodes costs little more than one to some."""
    pod_initial_backoff_seconds: float = 1.0
    """How long a pod is left alone after its first failure; then twice as long each time."""
    pod_max_backoff_seconds: float = 10.0
    """How long it is left alone at most."""
    leader_elect: bool = True
    """Whether to wait for the lease before working. Without it nobody else may schedule."""
    leader_identity: str = ""
    """How we sign the lease; by default something unique."""
    leader_periods: Periods = field(default_factory=Periods)
    """How long leadership lasts unrenewed, and how often it is renewed."""


async def run(
    config: SchedulerConfig,
    client: Client,
    clock: Clock,
    chance: Chance,
    ready: Callable[[], None] | None = None,
    metrics: Metrics | None = None,
) -> None:
    """Schedule while we lead; until cancelled, or until LeadershipLost.

    `ready` is called when we lead and have seen all nodes and pods. Raises LookupError for an unknown plugin.
    """
    counted = metrics or Metrics()

    async def lead() -> None:
        async with Tasks() as tasks:
            informers = Informers(client, clock, tasks, chance)
            events = EventRecorder(client, clock, tasks, component=config.scheduler_name)
            nodes = Nodes()
            plugins = profile.build(Tools(nodes, informers, client, clock, chance), config.disabled_plugins)
            growth = Growth(first=config.pod_initial_backoff_seconds, limit=config.pod_max_backoff_seconds)
            queue = SchedulingQueue({one.name: one for one in plugins}, clock, growth)
            cycle = Cycle(plugins, nodes, chance, config.percentage_of_nodes_to_score)
            reports = Reports(client, events, clock, tasks)
            numbers = SchedulerMetrics(counted, config.scheduler_name, queue.counts)
            scheduler = Scheduler(
                config.scheduler_name, client, informers, clock, tasks, nodes, queue, cycle, reports, numbers
            )
            await informers.synced()
            if ready is not None:
                ready()
            await scheduler.run()

    if not config.leader_elect:
        await lead()
        return
    identity = config.leader_identity or f"pilothouse_{chance.uid()}"
    elector = LeaderElector(client, clock, chance, name=LEASE, identity=identity, periods=config.leader_periods)
    await elector.run(lead)
