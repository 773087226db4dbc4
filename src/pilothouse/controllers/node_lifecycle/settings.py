"""Settings of the node lifecycle controller; the defaults are those of upstream's flags."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeLifecycleSettings:
    """How patient it is, and how fast it evicts."""

    monitor_period: float = 5.0
    """How often every node is looked at."""
    grace_period: float = 50.0
    """How long a node may say nothing before it is believed unreachable."""
    startup_grace_period: float = 60.0
    """The same for one that has never reported."""
    eviction_rate: float = 0.1
    """Nodes a second, in each zone, from which pods are evicted."""
    secondary_eviction_rate: float = 0.01
    """The same in a large zone of which a good part is not ready."""
    large_zone: int = 50
    """A zone with more nodes than that is large; in a smaller one nobody is evicted meanwhile."""
    unhealthy_share: float = 0.55
    """The part of a zone that is a good part."""
