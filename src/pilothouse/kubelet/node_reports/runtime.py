"""What the runtime's handlers can do, for schedulers and people to know (KEP-3619, KEP-3857, KEP-127)."""

from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.cri.features import Handler
from pilothouse.kubelet.cri.interface import CriError
from pilothouse.kubelet.node_report import NodeReport, ReportFacts
from pilothouse.runtime.log import Log

log = Log(__name__)


class RuntimeFeatures(NodeReport):
    """Nothing of a runtime that does not tell."""

    async def amend(self, status: JsonObject, facts: ReportFacts) -> None:
        """List the handlers by name, the default one first."""
        try:
            told = await facts.cri.status()
        except CriError as error:
            log.warning("Failed to ask the runtime for its handlers", err=str(error))
            return
        if told.handlers:
            status["runtimeHandlers"] = [_handler(one) for one in sorted(told.handlers, key=lambda one: one.name)]
        if told.features is not None:
            status["features"] = {"supplementalGroupsPolicy": told.features.supplemental_groups_policy}


def _handler(handler: Handler) -> JsonObject:
    features = {"recursiveReadOnlyMounts": handler.recursive_read_only, "userNamespaces": handler.user_namespaces}
    return {**({"name": handler.name} if handler.name else {}), "features": features}
