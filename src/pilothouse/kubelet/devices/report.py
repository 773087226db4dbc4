"""How many devices the node has, among what it has and what pods may have."""

from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.devices.hand_out import Devices
from pilothouse.kubelet.node_report import NodeReport, ReportFacts


class DeviceReport(NodeReport):
    """Resources of plugins that are gone for good stay, with none: the API server would keep what was said before."""

    def __init__(self, devices: Devices) -> None:
        self._devices = devices

    async def amend(self, status: JsonObject, facts: ReportFacts) -> None:  # noqa: ARG002 - the devices are known
        """Add them."""
        capacity, allocatable = self._devices.amounts()
        status["capacity"] = {**status["capacity"], **capacity}
        status["allocatable"] = {**status["allocatable"], **allocatable}
