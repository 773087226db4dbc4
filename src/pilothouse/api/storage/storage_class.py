"""StorageClass: a kind of storage that volumes are provisioned from.

Sources of the facts: pkg/apis/storage/v1/defaults.go, pkg/printers/internalversion/printers.go. API page:
storage.k8s.io/v1 StorageClass.
"""

from pilothouse.api.machinery.columns import AGE, dig, show
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.storage_v1 import StorageClass
from pilothouse.runtime.clock import Instant


def _name(obj: JsonObject, _now: Instant) -> str:
    name: str = dig(obj, "metadata", "name") or ""
    marked = any((dig(obj, "metadata", "annotations") or {}).get(key) == "true" for key in _DEFAULT_ANNOTATIONS)
    return f"{name} (default)" if marked else name


_DEFAULT_ANNOTATIONS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)


def default(obj: JsonObject) -> None:
    """Volumes go with their claims, and are made when claimed."""
    for name, value in (("reclaimPolicy", "Delete"), ("volumeBindingMode", "Immediate")):
        if obj.get(name) is None:
            obj[name] = value


RESOURCE = Resource(
    kind=StorageClass,
    group="storage.k8s.io",
    version="v1",
    plural="storageclasses",
    singular="storageclass",
    namespaced=False,
    short_names=("sc",),
    generation=False,
    default=default,
    columns=(
        Column("Name", _name, format="name"),
        Column("Provisioner", show("provisioner")),
        Column("ReclaimPolicy", show("reclaimPolicy", absent="Delete")),
        Column("VolumeBindingMode", show("volumeBindingMode", absent="Immediate")),
        Column("AllowVolumeExpansion", show("allowVolumeExpansion", absent=False)),
        AGE,
    ),
)
