"""Has the classes of pods weigh what is in them, again and again: an earlier kubelet's pods, and what was resized.

Only when the API server has told of its pods: without them the classes that they run in would weigh too little.
Upstream: UpdateCgroups of pkg/kubelet/cm/qos_container_manager_linux.go.
"""

from pilothouse.kubelet.part import NodeContext, Part
from pilothouse.runtime.log import Log

log = Log(__name__)
PERIOD = 60.0
"""Seconds until it is told anew."""


class ClassWeights(Part):
    """Beside what workers tell of their own pods."""

    name = "class weights"

    async def run(self, node: NodeContext) -> None:
        """Tell again and again."""
        services = node.services
        while True:
            try:
                services.cgroups.weigh([services.allocations.applied(pod) for pod in node.workers.placed()])
            except OSError as error:
                log.error("Failed to update QoS cgroup configuration", err=str(error))
            await services.clock.sleep(PERIOD)
