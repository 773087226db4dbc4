"""What Services use: themselves, node ports and load balancers.

Node ports are counted before they are given, by what the Service asks for. Source:
pkg/quota/v1/evaluator/core/services.go.
"""

from pilothouse.api.core.pod.resources import Amounts
from pilothouse.api.core.resource_quota.evaluator import ONE, Change, Evaluator
from pilothouse.api.machinery.quantity import ZERO, of_units
from pilothouse.api.machinery.view import JsonObject
from pilothouse.runtime.clock import Instant

_SERVICES, _NODE_PORTS, _BALANCERS = "services", "services.nodeports", "services.loadbalancers"


class Services(Evaluator):
    """What Services use."""

    def __init__(self) -> None:
        super().__init__("", "services")

    def counts(self, name: str) -> bool:
        """Whether Services use it."""
        return name in (self.object_count, _SERVICES, _NODE_PORTS, _BALANCERS)

    def handles(self, change: Change) -> bool:
        """The type may change."""
        return change.operation in ("CREATE", "UPDATE") and not change.part

    def usage(self, obj: JsonObject, now: Instant) -> Amounts:  # noqa: ARG002 - time does not matter
        """One Service, so many node ports, perhaps a load balancer."""
        spec = obj.get("spec") or {}
        balanced = spec.get("type") == "LoadBalancer"
        ports = spec.get("ports") or ()
        if balanced and spec.get("allocateLoadBalancerNodePorts") is False:
            ports = [port for port in ports if port.get("nodePort")]
        elif not balanced and spec.get("type") != "NodePort":
            ports = ()
        used = {self.object_count: ONE, _SERVICES: ONE, _NODE_PORTS: of_units(len(ports))}
        return {**used, _BALANCERS: ONE if balanced else ZERO}
