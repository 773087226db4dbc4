"""Files that volumes show, computed from ConfigMaps, Secrets, the downward API and tokens: pure.

Used by the volume types of the same names and by `projected`, which joins several. A path is relative to the volume.
"""

import base64
from collections.abc import Mapping, Sequence

from pilothouse.api.types.core_v1 import ConfigMap, DownwardAPIVolumeFile, KeyToPath, Pod, Secret
from pilothouse.kubelet.atomic_files import FileContent
from pilothouse.kubelet.environment import ConfigError, Facts, field_value, resource_value
from pilothouse.kubelet.volume import VolumeError

Payload = dict[str, FileContent]
_MISSING = {
    "configmap": "configmap references non-existent config key", "secret": "references non-existent secret key",
}  # fmt: skip


def config_map_payload(
    found: ConfigMap | None, named: str, items: Sequence[KeyToPath], mode: int, *, optional: bool
) -> Payload:
    """The files of a ConfigMap. Raises VolumeError."""
    if found is None:
        return _absent(f'configmap "{named}" not found', optional=optional)
    data = {key: text.encode() for key, text in found.data.items()}
    data |= {key: base64.b64decode(text) for key, text in found.binaryData.items()}
    return _select(data, items, mode, "configmap", optional=optional)


def secret_payload(
    found: Secret | None, named: str, items: Sequence[KeyToPath], mode: int, *, optional: bool
) -> Payload:
    """The files of a Secret. Raises VolumeError."""
    if found is None:
        return _absent(f'secret "{named}" not found', optional=optional)
    data = {key: base64.b64decode(text) for key, text in found.data.items()}
    return _select(data, items, mode, "secret", optional=optional)


def _absent(message: str, *, optional: bool) -> Payload:
    if optional:
        return {}
    raise VolumeError(message)


def _select(data: Mapping[str, bytes], items: Sequence[KeyToPath], mode: int, kind: str, *, optional: bool) -> Payload:
    if not items:
        return {key: FileContent(data[key], mode) for key in sorted(data)}
    payload: Payload = {}
    for item in items:
        if item.key in data:
            payload[item.path] = FileContent(data[item.key], mode if item.mode is None else item.mode)
        elif not optional:
            raise VolumeError(f"{_MISSING[kind]}: {item.key}")
    return payload


def downward_payload(pod: Pod, items: Sequence[DownwardAPIVolumeFile], mode: int, facts: Facts) -> Payload:
    """The files of the downward API. Raises VolumeError."""
    payload: Payload = {}
    for item in items:
        try:
            if item.fieldRef:
                text = field_value(pod, item.fieldRef.fieldPath, facts)
            else:
                text = resource_value(pod, pod.spec.containers[0], item.resourceFieldRef, facts)
        except ConfigError as error:
            raise VolumeError(str(error)) from error
        payload[item.path] = FileContent(text.encode(), mode if item.mode is None else item.mode)
    return payload
