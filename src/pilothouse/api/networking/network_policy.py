"""NetworkPolicy: which traffic pods accept and may send.

Source of the facts: pkg/apis/networking/v1/defaults.go. API page: networking.k8s.io/v1 NetworkPolicy.
"""

from pilothouse.api.machinery.columns import AGE, show_selector
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.networking_v1 import NetworkPolicy


def default(obj: JsonObject) -> None:
    """It is about what comes in, and about what goes out only if it says so; ports are TCP."""
    spec = obj.setdefault("spec", {})
    rules = [*(spec.get("ingress") or ()), *(spec.get("egress") or ())]
    for port in [port for rule in rules for port in rule.get("ports") or ()]:
        if port.get("protocol") is None:
            port["protocol"] = "TCP"
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]


RESOURCE = Resource(
    kind=NetworkPolicy,
    group="networking.k8s.io",
    version="v1",
    plural="networkpolicies",
    singular="networkpolicy",
    short_names=("netpol",),
    default=default,
    columns=(
        Column("Pod-Selector", show_selector("spec", "podSelector")),
        AGE,
    ),
)
