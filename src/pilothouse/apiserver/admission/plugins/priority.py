"""Priority: the number and the preemption policy that a pod's PriorityClass stands for.

Source: plugin/pkg/admission/priority/admission.go.
"""

from pilothouse.api.machinery import errors
from pilothouse.api.machinery.errors import Forbidden
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.admission.framework import Admission
from pilothouse.apiserver.pipeline.write import Operation, Write

_PREEMPTS = "PreemptLowerPriority"


class Priority(Admission):
    """Upstream's plugin of this name."""

    name = "Priority"
    order = 60

    async def mutate(self, write: Write) -> None:
        """Write priority, class name and preemption policy into a pod."""
        if write.resource.qualified_name != "pods" or write.part or write.new is None:
            return
        spec = write.new.setdefault("spec", {})
        if write.operation is Operation.UPDATE and write.old is not None:
            before = write.old.get("spec") or {}
            for field in ("priority", "preemptionPolicy"):
                if spec.get(field) is None and before.get(field) is not None:
                    spec[field] = before[field]
            return
        if write.operation is Operation.CREATE:
            self._set(write, spec)

    def _set(self, write: Write, spec: JsonObject) -> None:
        found = self._named(write, spec["priorityClassName"]) if spec.get("priorityClassName") else self._default()
        value, policy = 0, _PREEMPTS
        if found is not None:
            value, policy = found.get("value") or 0, found.get("preemptionPolicy") or _PREEMPTS
            spec["priorityClassName"] = found["metadata"]["name"]
        given = spec.get("priority")
        if given is not None and given != value:
            raise _refusal(
                write,
                f"the integer value of priority ({given}) must not be provided in pod spec; "
                f"priority admission controller computed {value} from the given PriorityClass name",
            )
        spec["priority"] = value
        asked = spec.get("preemptionPolicy")
        if asked is not None and asked != policy:
            raise _refusal(
                write,
                f"the string value of PreemptionPolicy ({asked}) must not be provided in pod spec; "
                f"priority admission controller computed {policy} from the given PriorityClass name",
            )
        spec["preemptionPolicy"] = policy

    def _named(self, write: Write, name: str) -> JsonObject:
        entry = self.cache.of("scheduling.k8s.io", "priorityclasses").get("", name)
        if entry is None:
            raise _refusal(write, f"no PriorityClass with name {name} was found")
        return entry.kept()

    def _default(self) -> JsonObject | None:
        """The class of pods that name none: of several the one of the least value."""
        classes = [entry.kept() for entry in self.cache.of("scheduling.k8s.io", "priorityclasses").select("")]
        return min((one for one in classes if one.get("globalDefault")), key=_value, default=None)


def _value(found: JsonObject) -> int:
    value: int = found.get("value") or 0
    return value


def _refusal(write: Write, why: str) -> Forbidden:
    return errors.forbidden("pods", "", write.name, why)
