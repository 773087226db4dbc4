"""The containers of a pod's spec, and facts about them that several deciders need."""

import hashlib
from collections.abc import Iterator

from pilothouse.api.types.core_v1 import Container, Pod
from pilothouse.kubelet.cri import interface as cri


def is_sidecar(container: Container) -> bool:
    """An init container that keeps running beside the main ones."""
    return container.restartPolicy == "Always"


def main_and_init(pod: Pod) -> Iterator[Container]:
    """Init containers in their order, then the main ones."""
    yield from pod.spec.initContainers
    yield from pod.spec.containers


def find(pod: Pod, name: str) -> Container | None:
    """The container called `name`."""
    return next((container for container in main_and_init(pod) if container.name == name), None)


def field_path(pod: Pod, name: str) -> str:
    """Where the container stands in the spec, as events refer to it."""
    initial = any(container.name == name for container in pod.spec.initContainers)
    return f"spec.initContainers{{{name}}}" if initial else f"spec.containers{{{name}}}"


def shape(container: Container) -> str:
    """Changes when the container must be made anew: when its name or image does, all else cannot change."""
    return hashlib.sha256(f"{container.name}\0{container.image}".encode()).hexdigest()[:8]


def wants_restart(pod: Pod, container: Container, run: cri.Container | None) -> bool:
    """Whether the pod's policy has the container run (again), given its newest run."""
    if run is None or run.state in (cri.ContainerState.CREATED, cri.ContainerState.UNKNOWN):
        return True
    if run.state is cri.ContainerState.RUNNING:
        return False
    initial = any(one.name == container.name for one in pod.spec.initContainers)
    if is_sidecar(container) and initial:
        return True
    match pod.spec.restartPolicy or "Always":
        case "Never":
            return False
        case "OnFailure":
            return run.exit_code != 0
    return not initial or run.exit_code != 0


def describe(pod: Pod) -> str:
    """`name_namespace(uid)`, as messages name a pod."""
    return f"{pod.metadata.name}_{pod.metadata.namespace}({pod.metadata.uid})"
