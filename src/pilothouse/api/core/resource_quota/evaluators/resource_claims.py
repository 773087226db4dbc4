"""What ResourceClaims use: themselves, and devices of each class.

`gpu.deviceclass.resource.k8s.io/devices` counts the devices of the class gpu. Of alternatives the largest counts, and
`All` as many as a claim can have. Source: pkg/quota/v1/evaluator/core/resource_claims.go. Extended resources that a
device class stands for are not counted here (KEP-5004).
"""

from pilothouse.api.core.pod.resources import Amounts
from pilothouse.api.core.resource_quota.evaluator import ONE, Change, Evaluator
from pilothouse.api.machinery.quantity import ZERO, Quantity, of_units
from pilothouse.api.machinery.view import JsonObject
from pilothouse.runtime.clock import Instant

_OF_CLASS = ".deviceclass.resource.k8s.io/devices"
_MOST = of_units(32)
"""How many devices a claim can have."""


class ResourceClaims(Evaluator):
    """What claims of devices use."""

    def __init__(self) -> None:
        super().__init__("resource.k8s.io", "resourceclaims")

    def counts(self, name: str) -> bool:
        """Whether such claims use it."""
        return name == self.object_count or name.endswith(_OF_CLASS)

    def handles(self, change: Change) -> bool:
        """They are made and changed."""
        return change.operation in ("CREATE", "UPDATE") and not change.part

    def usage(self, obj: JsonObject, now: Instant) -> Amounts:  # noqa: ARG002 - time does not matter
        """One claim and its devices."""
        used: Amounts = {self.object_count: ONE}
        for request in ((obj.get("spec") or {}).get("devices") or {}).get("requests") or ():
            most: Amounts = {}
            for choice in request.get("firstAvailable") or [request.get("exactly")]:
                if choice is not None:
                    name = f"{choice.get('deviceClassName') or ''}{_OF_CLASS}"
                    most[name] = max(most.get(name, ZERO), _devices(choice))
            for name, count in most.items():
                used[name] = used.get(name, ZERO) + count
        return used


def _devices(choice: JsonObject) -> Quantity:
    match choice.get("allocationMode"):
        case "ExactCount":
            return of_units(choice.get("count") or 0)
        case "All":
            return _MOST
        case _:
            return ZERO
