"""Lease: who holds something, and since when; heartbeats and leader election."""

from pilothouse.api.machinery.columns import AGE, show
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.types.coordination_v1 import Lease

RESOURCE = Resource(
    kind=Lease,
    group="coordination.k8s.io",
    version="v1",
    plural="leases",
    singular="lease",
    generation=False,
    columns=(
        Column("Holder", show("spec", "holderIdentity")),
        AGE,
    ),
)
