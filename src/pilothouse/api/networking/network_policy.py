"""NetworkPolicy: which traffic pods accept and may send."""

from pilothouse.api.machinery.columns import AGE, show_selector
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.types.networking_v1 import NetworkPolicy

RESOURCE = Resource(
    kind=NetworkPolicy,
    group="networking.k8s.io",
    version="v1",
    plural="networkpolicies",
    singular="networkpolicy",
    short_names=("netpol",),
    columns=(
        Column("Pod-Selector", show_selector("spec", "podSelector")),
        AGE,
    ),
)
