"""VolumeAttachment: a volume that is to be attached to a node.

Sources of the facts: pkg/apis/storage/validation/validation.go, pkg/registry/storage/volumeattachment/strategy.go.
API page: storage.k8s.io/v1 VolumeAttachment.
"""

from pilothouse.api.core.persistent_volume.validation import validate_inline_spec
from pilothouse.api.core.pod.validation.volumes import validate_csi_driver_name
from pilothouse.api.machinery.columns import AGE, dig, show
from pilothouse.api.machinery.field import FieldErrors, as_go_shows, at
from pilothouse.api.machinery.meta import IMMUTABLE
from pilothouse.api.machinery.names import dns_subdomain
from pilothouse.api.machinery.resource import STATUS, Column, Resource
from pilothouse.api.machinery.strategy import fresh_status, keep_status
from pilothouse.api.machinery.text_rules import validate_text
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.storage_v1 import VolumeAttachment

_LARGEST_METADATA = 256 * 1024
_LONGEST_MESSAGE = 1024
_SOURCE = {"PersistentVolumeName": None, "InlineVolumeSpec": None}
_SPEC = {"Attacher": "", "Source": _SOURCE, "NodeName": ""}
_ONE_SOURCE = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """Who attaches what, and where; and what the driver reported."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    if not spec.get("attacher"):
        errors.required("spec.attacher")
    _validate_source(spec.get("source") or {}, errors, "spec.source")
    validate_text(spec.get("nodeName") or "", dns_subdomain, errors, "spec.nodeName")
    metadata = status.get("attachmentMetadata") or {}
    if sum(len(key.encode()) + len(value.encode()) for key, value in metadata.items()) > _LARGEST_METADATA:
        errors.too_long("status.attachmentMetadata", _LARGEST_METADATA)
    for name in ("attachError", "detachError"):
        if len((dig(status, name, "message") or "").encode()) > _LONGEST_MESSAGE:
            errors.too_long(f"status.{name}.message", _LARGEST_METADATA)  # the limit that upstream names


def _validate_source(source: JsonObject, errors: FieldErrors, path: str) -> None:
    name, inline = source.get("persistentVolumeName"), source.get("inlineVolumeSpec")
    if name is None and inline is None:
        errors.required(path, _ONE_SOURCE)
    elif name is not None and inline is not None:
        errors.forbidden(path, _ONE_SOURCE)
    elif name == "":
        errors.required(at(path, "persistentVolumeName"), "must specify non empty persistentVolumeName")
    elif inline is not None:
        validate_inline_spec(inline, errors, at(path, "inlineVolumeSpec"))


def validate_create(obj: JsonObject, errors: FieldErrors) -> None:
    """What v1 demands beyond the versions before it."""
    validate_csi_driver_name(dig(obj, "spec", "attacher") or "", errors, "spec.attacher")
    if (name := dig(obj, "spec", "source", "persistentVolumeName")) is not None:
        validate_text(name, dns_subdomain, errors, "spec.source.persistentVolumeName")


def validate_update(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """Another volume or node is another attachment."""
    if obj.get("spec") != old.get("spec"):
        errors.invalid("spec", as_go_shows(obj.get("spec") or {}, _SPEC), IMMUTABLE)


def validate_status(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """As any update."""
    validate(obj, errors)
    validate_update(obj, old, errors)


RESOURCE = Resource(
    kind=VolumeAttachment,
    group="storage.k8s.io",
    version="v1",
    plural="volumeattachments",
    singular="volumeattachment",
    namespaced=False,
    subresources=(STATUS,),
    generation=False,
    unconditional_update=False,
    prepare_for_create=fresh_status(attached=False),
    prepare_for_update=keep_status,
    validate=validate,
    validate_create=validate_create,
    validate_update=validate_update,
    validate_status=validate_status,
    columns=(
        Column("Attacher", show("spec", "attacher"), format="name"),
        Column("PV", show("spec", "source", "persistentVolumeName")),
        Column("Node", show("spec", "nodeName")),
        Column("Attached", show("status", "attached", absent=False), type="boolean"),
        AGE,
    ),
)
