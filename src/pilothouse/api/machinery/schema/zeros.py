"""Zero values that say nothing: what upstream's answers leave out although it was sent.

Upstream reads every object into Go structs and writes it again, and most optional fields are left out when they hold
their type's zero value: "", 0, false, an empty list or map. Where absence and zero differ, the Go field is a pointer,
and zero stays. OpenAPI does not tell the two apart; the table of the protobuf messages does. Structs are never left
out. Definitions that have no message, and fields younger than the table, go by `KEPT`, *assumed*.
"""

from collections.abc import Mapping

from pilothouse.api.machinery.codec.protobuf.table import Field, Presence, fields_of, message_named
from pilothouse.api.machinery.schema.node import Schema, ZeroClass

_CLASSES: dict[str, ZeroClass] = {"string": str, "boolean": bool, "integer": int, "array": list, "object": dict}

KEPT: Mapping[str, str] = {
    "ClusterTrustBundleProjection": "user",
    "ConfigMapVolumeSource": "defaultUser",
    "CustomResourceDefinitionStatus": "conditions storedVersions",
    "CustomResourceDefinitionVersion": "deprecationWarning",
    "CustomResourceSubresourceScale": "labelSelectorPath",
    "DownwardAPIVolumeFile": "user",
    "DownwardAPIVolumeSource": "defaultUser",
    "EmptyDirVolumeSource": "mode",
    "JSONSchemaProps": "$ref maxItems maxLength maxProperties maximum minItems minLength minProperties minimum "
    "multipleOf x-kubernetes-list-type x-kubernetes-map-type x-kubernetes-preserve-unknown-fields",
    "KeyToPath": "user",
    "NodeSystemInfo": "runningInUserNamespace",
    "PodCertificateProjection": "user",
    "ProjectedVolumeSource": "defaultUser",
    "SecretVolumeSource": "defaultUser",
    "ServiceAccountTokenProjection": "user",
    "ServiceReference": "path port",
    "ValidationRule": "optionalOldSelf reason",
    "WebhookClientConfig": "url",
}
"""Fields that are pointers, or always written, by struct."""


def zeros_of(node: Schema) -> dict[str, ZeroClass]:
    """The fields of a struct that are left out when they are zero, each with the class of its zero."""
    kept = KEPT.get(node.struct_name, "").split()
    message = message_named(node.name)
    known = _fields(message) if message else {}
    found: dict[str, ZeroClass] = {}
    for name, field in node.properties.items():
        kind = _zero_class(field)
        if kind is None:
            continue
        in_go = known.get(name)
        if _is_left_out(in_go) if in_go else name not in node.required and name not in kept:
            found[name] = kind
    return found


def _fields(message: str) -> dict[str, Field]:
    """The fields of a message by their JSON names, those of embedded structs among them."""
    found: dict[str, Field] = {}
    for field in fields_of(message):
        if field.presence is Presence.INLINE:
            found |= _fields(field.type)
        else:
            found[field.name] = field
    return found


def _is_left_out(field: Field) -> bool:
    """Bytes are a list to Go, and left out when there are none."""
    return not field.shown and (field.presence is not Presence.POINTER or field.type == "bytes")


def _zero_class(field: Schema) -> ZeroClass | None:
    if field.quantity or field.int_or_string or field.preserve_unknown or field.format == "date-time":
        return None
    if field.type == "object" and field.additional is None:
        return None
    return _CLASSES.get(field.type)
