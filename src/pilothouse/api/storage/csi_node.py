"""CSINode: the volume drivers of a node.

Source of the facts: pkg/apis/storage/validation/validation.go. API page: storage.k8s.io/v1 CSINode; KEP-4876 for how
many volumes a node can have, which may change.
"""

from pilothouse.api.core.pod.validation.volumes import validate_csi_driver_name
from pilothouse.api.machinery.columns import AGE, count, dig
from pilothouse.api.machinery.field import FieldErrors, as_go_shows, at, index
from pilothouse.api.machinery.meta import IMMUTABLE
from pilothouse.api.machinery.names import qualified_name
from pilothouse.api.machinery.number_rules import validate_count
from pilothouse.api.machinery.repeats import repeats
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.machinery.text_rules import validate_text
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.storage_v1 import CSINode

_LONGEST_ID = 256
_DRIVER = {"Name": "", "NodeID": "", "TopologyKeys": None, "Allocatable": {"Count": None}}


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """Each driver is there once, and knows the node by an id."""
    seen = set()
    for position, driver in enumerate(dig(obj, "spec", "drivers") or ()):
        where, name = index("spec.drivers", position), driver.get("name") or ""
        validate_csi_driver_name(name, errors, at(where, "name"))
        _validate_id(driver.get("nodeID") or "", errors, at(where, "nodeID"))
        validate_count(dig(driver, "allocatable", "count"), errors, f"{where}.allocatable.count")
        if name in seen:
            errors.duplicate(at(where, "name"), name)
        seen.add(name)
        keys = driver.get("topologyKeys") or []
        again = set(repeats(keys))
        for number, key in enumerate(keys):
            if not key:
                errors.required(where)
            if number in again:
                errors.duplicate(where, key)
            validate_text(key, qualified_name, errors, where)


def _validate_id(identity: str, errors: FieldErrors, path: str) -> None:
    if not identity:
        errors.required(path)
    if len(identity.encode()) > _LONGEST_ID:
        errors.invalid(path, identity, f"must be {_LONGEST_ID} characters or less")


def validate_update(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """A driver that is there stays as it is, but for how many volumes it can attach."""
    stored = {driver.get("name"): driver for driver in dig(old, "spec", "drivers") or ()}
    for driver in dig(obj, "spec", "drivers") or ():
        before = stored.get(driver.get("name"))
        if before is not None and _fixed(driver) != _fixed(before):
            errors.invalid("CSINodeDriver", as_go_shows(driver, _DRIVER), IMMUTABLE)


def _fixed(driver: JsonObject) -> JsonObject:
    return {name: value for name, value in driver.items() if name != "allocatable" and value}


RESOURCE = Resource(
    kind=CSINode,
    group="storage.k8s.io",
    version="v1",
    plural="csinodes",
    singular="csinode",
    namespaced=False,
    generation=False,
    unconditional_update=False,
    validate=validate,
    validate_update=validate_update,
    columns=(
        Column("Drivers", count("spec", "drivers"), type="integer"),
        AGE,
    ),
)
