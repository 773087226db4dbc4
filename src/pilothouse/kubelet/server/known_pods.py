"""The pods that the kubelet's API answers about, by name, and the containers in their specs."""

from collections.abc import Callable, Sequence

from pilothouse.api.types.core_v1 import Container, EphemeralContainer, Pod

Pods = Callable[[], Sequence[Pod]]
"""All pods of the node, their statuses as the kubelet knows them. Of two with one name the later one counts."""


def find_pod(pods: Pods, namespace: str, name: str) -> Pod | None:
    """The pod of that name."""
    found = [pod for pod in pods() if (pod.metadata.namespace, pod.metadata.name) == (namespace, name)]
    return found[-1] if found else None


def container_of(pod: Pod, name: str) -> Container | EphemeralContainer | None:
    """The container of that name in the pod's spec, of whatever sort."""
    spec = pod.spec
    every: tuple[Container | EphemeralContainer, ...] = (
        *spec.containers,
        *spec.initContainers,
        *spec.ephemeralContainers,
    )
    return next((one for one in every if one.name == name), None)


def full_name(pod: Pod) -> str:
    """`name_namespace`, as messages call a pod."""
    return f"{pod.metadata.name}_{pod.metadata.namespace}"
