"""The features that the node declares, for whoever looks for a node that has what a pod needs."""

from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.cri.interface import CriError, RuntimeStatus
from pilothouse.kubelet.declared_features import declared_features
from pilothouse.kubelet.node_report import NodeReport, ReportFacts
from pilothouse.runtime.log import Log

log = Log(__name__)


class DeclaredFeatures(NodeReport):
    """Those of the kubelet alone until the runtime says what it can do, which it is asked for once."""

    def __init__(self) -> None:
        self._runtime: RuntimeStatus | None = None

    async def amend(self, status: JsonObject, facts: ReportFacts) -> None:
        """List them in order."""
        if self._runtime is None:
            try:
                self._runtime = await facts.cri.status()
            except CriError as error:
                log.warning("Failed to ask the runtime for its features", err=str(error))
        status["declaredFeatures"] = sorted(declared_features(self._runtime))
