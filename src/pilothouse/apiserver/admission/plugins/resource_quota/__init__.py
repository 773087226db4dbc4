"""ResourceQuota: what a namespace uses stays below its quotas; they are charged before the write is made.

The last plugin of all, so that nothing is charged that another refuses. Should the write fail after that, or the object
go, the controller counts anew and gives back. A namespace without quotas pays for a look-up in a dictionary. Source:
apiserver/pkg/admission/plugin/resourcequota/admission.go.
"""

from pilothouse.api.core.resource_quota.admit import Limited
from pilothouse.api.core.resource_quota.evaluator import IGNORED, Change
from pilothouse.api.core.resource_quota.usage import evaluator_of
from pilothouse.api.machinery import errors
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.admission.framework import Admission
from pilothouse.apiserver.admission.plugins.resource_quota.configuration import read_configuration
from pilothouse.apiserver.admission.plugins.resource_quota.ledger import Asked, Ledger
from pilothouse.apiserver.authorization.framework import Authorizer
from pilothouse.apiserver.pipeline.write import Operation, Write
from pilothouse.apiserver.registry.served import Served
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock

_SECONDS = 10.0
_COUNTED = (Operation.CREATE, Operation.UPDATE)


class ResourceQuota(Admission):
    """Upstream's plugin of this name."""

    name = "ResourceQuota"
    order = 1000

    def __init__(self, served: Served, authorizer: Authorizer, clock: Clock, chance: Chance) -> None:
        super().__init__(served, authorizer, clock, chance)
        self._limited: tuple[Limited, ...] = ()
        self._ledger = Ledger(self.cache, clock)

    def configure(self, configuration: JsonObject | None) -> None:
        """Take on what may be used only where a quota covers it. Raises ValueError for what is no configuration."""
        self._limited = read_configuration(configuration)

    async def validate(self, write: Write) -> None:
        """Charge every quota that speaks of the object. Raises Forbidden; Conflict and InternalError when too many try
        at once."""
        if not self._limited and not self._ledger.has_quotas(write.namespace):
            return
        if not write.namespace or write.operation not in _COUNTED or write.new is None or write.charged:
            return
        kind = (write.resource.group, write.resource.plural)
        evaluator = evaluator_of(*kind)
        change = Change(write.operation, write.new, write.old, write.part)
        if kind in IGNORED or not evaluator.handles(change):
            return
        asked = Asked(evaluator, change, write.name, self._limited, dry_run=write.dry_run)
        try:
            async with self.clock.timeout(_SECONDS):
                await self._ledger.charge(write.namespace, asked)
        except TimeoutError:
            raise errors.InternalError("resource quota evaluation timed out") from None
        write.charged = write.operation is Operation.CREATE
