"""StorageClass: a kind of storage that volumes are provisioned from.

Sources of the facts: pkg/apis/storage/v1/defaults.go, pkg/apis/storage/validation/validation.go,
pkg/api/storage/util.go, pkg/printers/internalversion/printers.go. API page: storage.k8s.io/v1 StorageClass.
"""

from pilothouse.api.core.pod.warnings import NODE_LABELS
from pilothouse.api.machinery.columns import AGE, dig, show
from pilothouse.api.machinery.field import FieldErrors, at, index
from pilothouse.api.machinery.meta import validate_immutable
from pilothouse.api.machinery.names import label_key
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.machinery.text_rules import validate_choice, validate_text
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.storage.parameters import validate_driver, validate_parameters
from pilothouse.api.types.storage_v1 import StorageClass
from pilothouse.runtime.clock import Instant

_RECLAIM_POLICIES = ("Delete", "Retain")
_BINDING_MODES = ("Immediate", "WaitForFirstConsumer")


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


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """Who provisions, with which parameters, and where the volumes may be used."""
    validate_driver(obj.get("provisioner"), errors, "provisioner")
    validate_parameters(obj.get("parameters") or {}, errors, "parameters")
    if policy := obj.get("reclaimPolicy"):
        validate_choice(policy, _RECLAIM_POLICIES, errors, "reclaimPolicy")
    if obj.get("volumeBindingMode") is None:
        errors.required("volumeBindingMode")
    else:
        validate_choice(obj["volumeBindingMode"], _BINDING_MODES, errors, "volumeBindingMode")
    before: list[dict[str, set[str]]] = []
    for position, term in enumerate(obj.get("allowedTopologies") or ()):
        where = at(index("allowedTopologies", position), "matchLabelExpressions")
        wanted = _validate_topology(term.get("matchLabelExpressions") or (), errors, where)
        if wanted in before:
            errors.duplicate(where, "")
        before.append(wanted)


def _validate_topology(
    requirements: list[JsonObject] | tuple[JsonObject, ...], errors: FieldErrors, path: str
) -> dict[str, set[str]]:
    """Check one term; return the values by key."""
    wanted: dict[str, set[str]] = {}
    for position, requirement in enumerate(requirements):
        where, key, seen = index(path, position), requirement.get("key") or "", set[str]()
        if not requirement.get("values"):
            errors.required(at(where, "values"))
        for number, value in enumerate(requirement.get("values") or ()):
            if value in seen:
                errors.duplicate(index(at(where, "values"), number), value)
            seen.add(value)
        validate_text(key, label_key, errors, at(where, "key"))
        if key in wanted:
            errors.duplicate(at(where, "key"), key)
        wanted[key] = seen
    return wanted


def validate_update(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """Volumes that exist were made by what the class says."""
    if (obj.get("parameters") or {}) != (old.get("parameters") or {}):
        errors.forbidden("parameters", "updates to parameters are forbidden.")
    for name in ("provisioner", "reclaimPolicy"):
        if obj.get(name) != old.get(name):
            errors.forbidden(name, f"updates to {name} are forbidden.")
    validate_immutable(obj.get("volumeBindingMode"), old.get("volumeBindingMode"), errors, "volumeBindingMode")


def warn(obj: JsonObject, _old: JsonObject | None) -> list[str]:
    """Labels of nodes that have newer names."""
    return [
        f"{index(f'allowedTopologies[{position}].matchLabelExpressions', number)}.key: {words}"
        for position, term in enumerate(obj.get("allowedTopologies") or ())
        for number, requirement in enumerate(term.get("matchLabelExpressions") or ())
        if (words := NODE_LABELS.get(requirement.get("key") or ""))
    ]


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
    validate=validate,
    validate_update=validate_update,
    warn=warn,
    columns=(
        Column("Name", _name, format="name"),
        Column("Provisioner", show("provisioner")),
        Column("ReclaimPolicy", show("reclaimPolicy", absent="Delete")),
        Column("VolumeBindingMode", show("volumeBindingMode", absent="Immediate")),
        Column("AllowVolumeExpansion", show("allowVolumeExpansion", absent=False)),
        AGE,
    ),
)
