"""The profile: which plugins run, in which order. The first that refuses a node gives the reason.

Units in `plugins/` are found; those that upstream has come in upstream's default order, others after them by name.
"""

from collections.abc import Sequence

from pilothouse.runtime.units import subclasses
from pilothouse.scheduler.framework import Plugin, Tools

ORDER = (
    "NodeUnschedulable", "NodeName", "TaintToleration", "NodeAffinity", "NodePorts", "NodeResourcesFit",
    "VolumeRestrictions", "NodeVolumeLimits", "VolumeBinding", "VolumeZone", "PodTopologySpread", "InterPodAffinity",
    "DynamicResources", "DefaultPreemption", "NodeResourcesBalancedAllocation", "ImageLocality",
)  # fmt: skip
"""pkg/scheduler/apis/config/v1/default_plugins.go."""


def found() -> list[type[Plugin]]:
    """Every plugin, in order."""
    kinds = subclasses(Plugin, f"{__package__}.plugins")
    return sorted(kinds, key=lambda kind: (ORDER.index(kind.name) if kind.name in ORDER else len(ORDER), kind.name))


def build(tools: Tools, disabled: Sequence[str] = ()) -> list[Plugin]:
    """Make the plugins of a running scheduler. Raises LookupError for an unknown name."""
    kinds = found()
    unknown = [name for name in disabled if name not in {kind.name for kind in kinds}]
    if unknown:
        raise LookupError(f"no scheduler plugin is called {', '.join(unknown)}")
    return [kind.build(tools) for kind in kinds if kind.name not in disabled]
