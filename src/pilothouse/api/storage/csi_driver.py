"""CSIDriver: what a volume driver can do.

Sources of the facts: pkg/apis/storage/v1/defaults.go, pkg/printers/internalversion/printers.go. API page:
storage.k8s.io/v1 CSIDriver.
"""

from pilothouse.api.machinery.columns import AGE, NONE, UNSET, dig, show
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.storage_v1 import CSIDriver
from pilothouse.runtime.clock import Instant


def _audiences(obj: JsonObject, _now: Instant) -> str:
    requests = dig(obj, "spec", "tokenRequests")
    return UNSET if requests is None else ",".join(request.get("audience", "") for request in requests)


def _modes(obj: JsonObject, _now: Instant) -> str:
    return ",".join(dig(obj, "spec", "volumeLifecycleModes") or ()) or NONE


def default(obj: JsonObject) -> None:
    """A driver that attaches, and wants to know nothing of pods."""
    spec = obj.setdefault("spec", {})
    for name, value in (
        ("attachRequired", True),
        ("podInfoOnMount", False),
        ("storageCapacity", False),
        ("fsGroupPolicy", "ReadWriteOnceWithFSType"),
        ("requiresRepublish", False),
        ("seLinuxMount", False),
    ):
        if spec.get(name) is None:
            spec[name] = value
    if not spec.get("volumeLifecycleModes"):
        spec["volumeLifecycleModes"] = ["Persistent"]


RESOURCE = Resource(
    kind=CSIDriver,
    group="storage.k8s.io",
    version="v1",
    plural="csidrivers",
    singular="csidriver",
    namespaced=False,
    default=default,
    columns=(
        Column("AttachRequired", show("spec", "attachRequired", absent=True), type="boolean"),
        Column("PodInfoOnMount", show("spec", "podInfoOnMount", absent=False), type="boolean"),
        Column("StorageCapacity", show("spec", "storageCapacity", absent=False), type="boolean"),
        Column("TokenRequests", _audiences),
        Column("RequiresRepublish", show("spec", "requiresRepublish", absent=False), type="boolean"),
        Column("Modes", _modes),
        AGE,
    ),
)
