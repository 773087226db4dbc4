"""What PersistentVolumeClaims use: themselves and storage, in all and of each class.

`gold.storageclass.storage.k8s.io/requests.storage` is the storage of the class gold. Source:
pkg/quota/v1/evaluator/core/persistent_volume_claims.go.
"""

from collections.abc import Hashable

from pilothouse.api.core.pod.resources import Amounts, amounts
from pilothouse.api.core.resource_quota.evaluator import ONE, Change, Evaluator, read_amounts
from pilothouse.api.core.resource_quota.scopes import selects
from pilothouse.api.machinery.quantity import Quantity, of_units
from pilothouse.api.machinery.view import JsonObject
from pilothouse.runtime.clock import Instant

_CLAIMS, _STORAGE = "persistentvolumeclaims", "requests.storage"
_OF_CLASS = ".storageclass.storage.k8s.io/"
_CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"
_BY_CLASS = (f"{_OF_CLASS}{_CLAIMS}", f"{_OF_CLASS}{_STORAGE}")


class VolumeClaims(Evaluator):
    """What claims use."""

    def __init__(self) -> None:
        super().__init__("", _CLAIMS)

    def counts(self, name: str) -> bool:
        """Whether claims use it."""
        return name in (self.object_count, _CLAIMS, _STORAGE) or name.endswith(_BY_CLASS)

    def handles(self, change: Change) -> bool:
        """A claim may grow, and what it was given may shrink."""
        if not change.part:
            return change.operation in ("CREATE", "UPDATE")
        if change.part != "status" or change.old is None:
            return False
        return _allocated(change.old) != _allocated(change.new) or _classes(change.old) != _classes(change.new)

    def in_scope(self, selector: JsonObject, obj: JsonObject) -> bool:
        """Whether one of its volume attributes classes is selected: that it has, wants or is being given."""
        if selector.get("scopeName") != "VolumeAttributesClass":
            return False
        return any(selects(selector, name) for name in _classes(obj) or ("",))

    def usage(self, obj: JsonObject, now: Instant) -> Amounts:  # noqa: ARG002 - time does not matter
        """One claim and its storage."""
        used = {self.object_count: ONE, _CLAIMS: ONE}
        if (storage := _storage(obj)) is not None:
            used[_STORAGE] = storage
        if name := _storage_class(obj):
            used |= {f"{name}{_OF_CLASS}{what}": used[what] for what in (_CLAIMS, _STORAGE) if what in used}
        return used

    def traits(self, obj: JsonObject) -> Hashable:
        """Its volume attributes classes."""
        return _classes(obj)


def _storage_class(claim: JsonObject) -> str:
    annotations = (claim.get("metadata") or {}).get("annotations") or {}
    found: str = annotations.get(_CLASS_ANNOTATION, (claim.get("spec") or {}).get("storageClassName")) or ""
    return found


def _allocated(claim: JsonObject) -> Quantity | None:
    return read_amounts((claim.get("status") or {}).get("allocatedResources")).get("storage")


def _storage(claim: JsonObject) -> Quantity | None:
    """The larger of what is asked for and what was given, in whole bytes."""
    asked = amounts((claim.get("spec") or {}).get("resources"), "requests").get("storage")
    given = _allocated(claim)
    if asked is None:
        return None
    most = given if given is not None and given > asked else asked
    whole = of_units(most.value(), most.format)
    return most if whole == most else whole


def _classes(claim: JsonObject) -> tuple[str, ...]:
    status = claim.get("status") or {}
    found = (
        (claim.get("spec") or {}).get("volumeAttributesClassName"),
        status.get("currentVolumeAttributesClassName"),
        (status.get("modifyVolumeStatus") or {}).get("targetVolumeAttributesClassName"),
    )
    return tuple(sorted({name for name in found if name}))
