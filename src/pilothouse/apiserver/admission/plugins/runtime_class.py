"""RuntimeClass: a pod that names a class exists only if the class does, and takes over its overhead and its nodes.

A pod whose sandbox was asked for must never run without one. Source: plugin/pkg/admission/runtimeclass/admission.go;
tolerations are merged as pkg/util/tolerations does: of two, one of which covers the other, the wider is kept.
"""

from collections.abc import Sequence

from pilothouse.api.machinery import errors
from pilothouse.api.machinery.errors import Forbidden
from pilothouse.api.machinery.quantity import parse_quantity
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.admission.framework import Admission
from pilothouse.apiserver.pipeline.write import Operation, Write

_DIFFERS = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"
_UNASKED = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"


class RuntimeClass(Admission):
    """Upstream's plugin of this name."""

    name = "RuntimeClass"
    order = 80

    async def mutate(self, write: Write) -> None:
        """Write the class's overhead, node selector and tolerations into a new pod."""
        if (spec := _spec_of_new_pod(write)) is None or (found := self._class_of(write, spec)) is None:
            return
        if overhead := _overhead(found):
            if spec.get("overhead") is not None and not _same(overhead, spec["overhead"]):
                raise _refusal(write, _DIFFERS)
            spec["overhead"] = dict(overhead)
        scheduling = found.get("scheduling") or {}
        if selector := scheduling.get("nodeSelector"):
            spec["nodeSelector"] = _joined(write, spec.get("nodeSelector") or {}, selector)
        if tolerations := scheduling.get("tolerations"):
            spec["tolerations"] = merge_tolerations([*(spec.get("tolerations") or ()), *tolerations])

    async def validate(self, write: Write) -> None:
        """Overhead is the class's own."""
        if (spec := _spec_of_new_pod(write)) is None:
            return
        found = self._class_of(write, spec)
        overhead, given = _overhead(found or {}), spec.get("overhead")
        if overhead and not _same(overhead, given or {}):
            raise _refusal(write, _DIFFERS)
        if not overhead and given is not None:
            raise _refusal(write, _UNASKED)

    def _class_of(self, write: Write, spec: JsonObject) -> JsonObject | None:
        name = spec.get("runtimeClassName")
        if name is None:
            return None
        entry = self.cache.of("node.k8s.io", "runtimeclasses").get("", name)
        if entry is None:
            raise _refusal(write, f'pod rejected: RuntimeClass "{name}" not found')
        return entry.decode()


def merge_tolerations(tolerations: Sequence[JsonObject]) -> list[JsonObject]:
    """Those that no other covers; of equal ones the first."""
    kept: list[JsonObject] = []
    for position, one in enumerate(tolerations):
        wider = any(other != one and _covers(other, one) for other in tolerations[position + 1 :])
        if not wider and not any(_covers(other, one) for other in kept):
            kept.append(one)
    return kept


def _covers(wide: JsonObject, one: JsonObject) -> bool:
    """Whether `wide` tolerates all that `one` does."""
    if wide == one:
        return True
    exists = wide.get("operator") == "Exists"
    if one.get("key") != wide.get("key") and (wide.get("key") or not exists):
        return False
    if one.get("effect") != wide.get("effect") and wide.get("effect"):
        return False
    limit, seconds = wide.get("tolerationSeconds"), one.get("tolerationSeconds")
    if wide.get("effect") == "NoExecute" and limit is not None and (seconds is None or seconds > limit):
        return False
    if exists:
        return True
    equal = ("Equal", "", None)
    return wide.get("operator") in equal and one.get("operator") in equal and one.get("value") == wide.get("value")


def _spec_of_new_pod(write: Write) -> JsonObject | None:
    if write.resource.qualified_name != "pods" or write.part or write.new is None:
        return None
    if write.operation is not Operation.CREATE:
        return None
    spec: JsonObject = write.new.setdefault("spec", {})
    return spec


def _overhead(found: JsonObject) -> JsonObject:
    overhead: JsonObject = (found.get("overhead") or {}).get("podFixed") or {}
    return overhead


def _same(one: JsonObject, other: JsonObject) -> bool:
    return one.keys() == other.keys() and all(parse_quantity(one[name]) == parse_quantity(other[name]) for name in one)


def _joined(write: Write, asked: JsonObject, of_class: JsonObject) -> JsonObject:
    for key, value in of_class.items():
        if asked.get(key, value) != value:
            raise _refusal(
                write,
                f"conflict: runtimeClass.scheduling.nodeSelector[{key}] = {value}; "
                f"pod.spec.nodeSelector[{key}] = {asked[key]}",
            )
    return {**asked, **of_class}


def _refusal(write: Write, why: str) -> Forbidden:
    return errors.forbidden("pods", "", write.name, why)
