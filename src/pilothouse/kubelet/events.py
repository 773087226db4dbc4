"""What events of the kubelet refer to: a pod, or one container of it."""

from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Pod


def reference(pod: Pod, field_path: str = "") -> JsonObject:
    """An ObjectReference to the pod; `field_path` names a container, such as `spec.containers{app}`."""
    meta = pod.metadata
    found: JsonObject = {
        "kind": "Pod", "apiVersion": "v1", "namespace": meta.namespace, "name": meta.name, "uid": meta.uid,
        "resourceVersion": meta.resourceVersion,
    }  # fmt: skip
    return found | ({"fieldPath": field_path} if field_path else {})
