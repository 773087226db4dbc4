"""CSIDriver: what a volume driver can do.

Sources of the facts: pkg/apis/storage/v1/defaults.go, pkg/apis/storage/validation/validation.go,
pkg/registry/storage/csidriver/strategy.go, pkg/printers/internalversion/printers.go. API page: storage.k8s.io/v1
CSIDriver.
"""

from collections.abc import Sequence

from pilothouse.api.machinery.columns import AGE, NONE, UNSET, dig, show
from pilothouse.api.machinery.field import FieldErrors, at, index
from pilothouse.api.machinery.meta import validate_immutable
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.machinery.text_rules import validate_choice
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.storage_v1 import CSIDriver
from pilothouse.runtime.clock import Instant

_LIFECYCLE_MODES = ("Persistent", "Ephemeral")
_GROUP_POLICIES = ("File", "None", "ReadWriteOnceWithFSType")
_REQUIRED = ("podInfoOnMount", "storageCapacity")
_SHORTEST_TOKEN = 600
_LONGEST_TOKEN = 2**32
_SHORTEST_PERIOD = 10


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


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """What must be said of a driver, and that its tokens are for different audiences."""
    spec = obj.get("spec") or {}
    if spec.get("attachRequired") is None:
        errors.required("spec.attachedRequired")  # upstream's name for it in messages
    for name in _REQUIRED:
        if spec.get(name) is None:
            errors.required(at("spec", name))
    if (policy := spec.get("fsGroupPolicy")) is not None:
        validate_choice(policy, _GROUP_POLICIES, errors, "spec.fsGroupPolicy")
    _validate_tokens(spec.get("tokenRequests") or (), errors, "spec.tokenRequests")
    for mode in spec.get("volumeLifecycleModes") or ():
        validate_choice(mode, _LIFECYCLE_MODES, errors, "spec.volumeLifecycleModes")
    if spec.get("seLinuxMount") is None:
        errors.required("spec.seLinuxMount")
    period = spec.get("nodeAllocatableUpdatePeriodSeconds")
    if period is not None and period < _SHORTEST_PERIOD:
        words = "must be greater than or equal to 10 seconds"
        errors.invalid("spec.nodeAllocatableUpdatePeriodSeconds", period, words)


def _validate_tokens(requests: Sequence[JsonObject], errors: FieldErrors, path: str) -> None:
    seen = set()
    for position, request in enumerate(requests):
        where, audience = index(path, position), request.get("audience") or ""
        if audience in seen:
            errors.duplicate(at(where, "audience"), audience)
            continue
        seen.add(audience)
        seconds = request.get("expirationSeconds")
        if seconds is None:
            continue
        if seconds < _SHORTEST_TOKEN:
            errors.invalid(at(where, "expirationSeconds"), seconds, "may not specify a duration less than 10 minutes")
        if seconds > _LONGEST_TOKEN:
            words = "may not specify a duration larger than 2^32 seconds"
            errors.invalid(at(where, "expirationSeconds"), seconds, words)


def validate_update(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """Volumes in use were attached by the old rules."""
    new, before = obj.get("spec") or {}, old.get("spec") or {}
    validate_immutable(new.get("attachRequired"), before.get("attachRequired"), errors, "spec.attachedRequired")
    name = "volumeLifecycleModes"
    validate_immutable(new.get(name), before.get(name), errors, at("spec", name))


RESOURCE = Resource(
    kind=CSIDriver,
    group="storage.k8s.io",
    version="v1",
    plural="csidrivers",
    singular="csidriver",
    namespaced=False,
    unconditional_update=False,
    default=default,
    validate=validate,
    validate_update=validate_update,
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
