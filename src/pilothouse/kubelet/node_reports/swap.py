"""How much swap the machine has, for schedulers and people to know."""

from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.node_report import NodeReport, ReportFacts


class Swap(NodeReport):
    """Nothing where there is none."""

    async def amend(self, status: JsonObject, facts: ReportFacts) -> None:
        """Tell its size."""
        if facts.machine.swap:
            status["nodeInfo"]["swap"] = {"capacity": facts.machine.swap}
