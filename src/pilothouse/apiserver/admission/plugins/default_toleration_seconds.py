"""DefaultTolerationSeconds: a pod stays five minutes on a node that is not ready or cannot be reached.

Source: plugin/pkg/admission/defaulttolerationseconds/admission.go.
"""

from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.admission.framework import Admission
from pilothouse.apiserver.pipeline.write import Operation, Write

SECONDS = 300
_TAINTS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


class DefaultTolerationSeconds(Admission):
    """Upstream's plugin of this name."""

    name = "DefaultTolerationSeconds"
    order = 70

    async def mutate(self, write: Write) -> None:
        """Add the tolerations that the pod has none of."""
        if write.resource.qualified_name != "pods" or write.part or write.new is None:
            return
        if write.operation not in (Operation.CREATE, Operation.UPDATE):
            return
        spec = write.new.setdefault("spec", {})
        found = spec.get("tolerations") or []
        missing = [
            {"key": taint, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": SECONDS}
            for taint in _TAINTS
            if not any(_tolerates(toleration, taint) for toleration in found)
        ]
        if missing:
            spec["tolerations"] = [*found, *missing]


def _tolerates(toleration: JsonObject, taint: str) -> bool:
    key, effect = toleration.get("key") or "", toleration.get("effect") or ""
    return key in ("", taint) and effect in ("", "NoExecute")
