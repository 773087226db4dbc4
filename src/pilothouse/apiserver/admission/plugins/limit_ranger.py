"""LimitRanger: a pod gets what the LimitRanges of its namespace fill in, and it and claims of volumes keep to them.

Pods are looked at when they are made and when they are resized. Source: plugin/pkg/admission/limitranger/admission.go.
"""

from collections.abc import Callable, Mapping, Sequence

from pilothouse.api.core.limit_range.applied import fill_in
from pilothouse.api.core.limit_range.bounds import refusals_of_claim, refusals_of_pod
from pilothouse.api.machinery import errors
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.admission.framework import Admission
from pilothouse.apiserver.authorization.framework import Authorizer
from pilothouse.apiserver.pipeline.write import Operation, Write
from pilothouse.apiserver.registry.by_namespace import ByNamespace
from pilothouse.apiserver.registry.served import Served
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock

_PODS, _CLAIMS = "pods", "persistentvolumeclaims"
_LOOKED_AT = frozenset({
    (_PODS, "", Operation.CREATE),
    (_PODS, "resize", Operation.UPDATE),
    (_CLAIMS, "", Operation.CREATE),
    (_CLAIMS, "", Operation.UPDATE),
})  # fmt: skip
_Refusals = Callable[[JsonObject, JsonObject, JsonObject | None], Sequence[str]]
_REFUSALS: Mapping[str, _Refusals] = {_PODS: refusals_of_pod, _CLAIMS: refusals_of_claim}


class LimitRanger(Admission):
    """Upstream's plugin of this name."""

    name = "LimitRanger"
    order = 20

    def __init__(self, served: Served, authorizer: Authorizer, clock: Clock, chance: Chance) -> None:
        super().__init__(served, authorizer, clock, chance)
        self._ranges = ByNamespace(self.cache.of("", "limitranges"))

    async def mutate(self, write: Write) -> None:
        """Write what a pod leaves out into it."""
        for limit_range in self._ranges_for(write):
            if write.new is not None and write.resource.qualified_name == _PODS:
                fill_in(write.new, limit_range)

    async def validate(self, write: Write) -> None:
        """Refuse what is too little, too much or too far apart."""
        for limit_range in self._ranges_for(write):
            assert write.new is not None
            wrong = _REFUSALS[write.resource.qualified_name](limit_range, write.new, write.old)
            texts = list(dict.fromkeys(wrong))
            if texts:
                why = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
                raise errors.forbidden(write.resource.plural, write.resource.group, write.name, why)

    def _ranges_for(self, write: Write) -> list[JsonObject]:
        """The LimitRanges that a write has to keep to."""
        if write.namespace not in self._ranges or write.new is None:
            return []
        if (write.resource.qualified_name, write.part, write.operation) not in _LOOKED_AT:
            return []
        if write.old is not None and (write.old.get("metadata") or {}).get("deletionTimestamp"):
            return []
        return [entry.kept() for entry in self._ranges.of(write.namespace)]
