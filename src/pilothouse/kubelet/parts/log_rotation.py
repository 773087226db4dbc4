"""Keeps containers' logs from filling the disk."""

from pilothouse.kubelet.log_rotate import LogRotator
from pilothouse.kubelet.part import NodeContext, Part


class LogRotation(Part):
    """Looks at the logs' sizes now and then."""

    name = "log rotation"
    early = True  # a disk fills whether there is an API server or not

    async def run(self, node: NodeContext) -> None:
        """Rotate, unless the policy wants none of it."""
        policy, clock = node.config.log_rotation, node.services.clock
        if policy.max_size < 0:
            return
        rotator = LogRotator(node.services.cri, clock, policy)
        while True:
            await rotator.look()
            await clock.sleep(policy.monitor_interval)
