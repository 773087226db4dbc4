"""Says in the status of each ValidatingAdmissionPolicy what is wrong with the types of its expressions.

Only a new generation is looked at. Upstream: pkg/controller/validatingadmissionpolicystatus; KEP-3488.
"""

from functools import cached_property

from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.errors import NotFound
from pilothouse.api.machinery.schema import Schemas
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.admissionregistration_v1 import ValidatingAdmissionPolicy
from pilothouse.client.key import Key
from pilothouse.controllers.validating_admission_policy_status.type_checking import check_types
from pilothouse.reconcile.controller import EVENTS, Again, Controller, Watch, itself, rule

MANAGER = "validatingadmissionpolicy-status"
_GROUP = ("admissionregistration.k8s.io",)


class ValidatingAdmissionPolicyStatusController(Controller):
    """Checks types, and tells."""

    name = "validatingadmissionpolicy-status-controller"
    watches = (Watch(ValidatingAdmissionPolicy, itself),)
    rules = (
        rule(_GROUP, ("validatingadmissionpolicies",), ("get", "list", "watch")),
        rule(_GROUP, ("validatingadmissionpolicies/status",), ("get", "patch", "update")),
        EVENTS,
    )

    @cached_property
    def _schemas(self) -> Schemas:
        """Read when the first policy comes: most clusters have none."""
        return Schemas()

    async def reconcile(self, key: Key) -> Again | None:
        """Write the status of a generation that has none."""
        policy = self.informers.of(ValidatingAdmissionPolicy).lister.get(key)
        if policy is None or (policy.metadata.generation or 0) <= (policy.status.observedGeneration or 0):
            return None
        warnings = check_types(dict(policy.raw), builtin(), self._schemas)
        checking: JsonObject = {"expressionWarnings": warnings} if warnings else {}
        status = {"observedGeneration": policy.metadata.generation, "typeChecking": checking}
        manifest = {"metadata": {"name": key.name}, "status": status}
        try:
            await self.client.apply(
                ValidatingAdmissionPolicy, manifest, manager=MANAGER, force=True, subresource="status"
            )
        except NotFound:
            return None
        return None
