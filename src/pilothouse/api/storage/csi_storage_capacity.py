"""CSIStorageCapacity: how much room a driver has for a storage class."""

from pilothouse.api.machinery.columns import UNSET, show
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.types.storage_v1 import CSIStorageCapacity

RESOURCE = Resource(
    kind=CSIStorageCapacity,
    group="storage.k8s.io",
    version="v1",
    plural="csistoragecapacities",
    singular="csistoragecapacity",
    generation=False,
    columns=(
        Column("StorageClassName", show("storageClassName")),
        Column("Capacity", show("capacity", absent=UNSET)),
    ),
)
