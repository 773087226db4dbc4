"""The containers of a pod's spec, and facts about them that several deciders need."""

import hashlib
from collections.abc import Iterator

from pilothouse.api.types.core_v1 import Container, ContainerRestartRule, Pod
from pilothouse.kubelet.cri import interface as cri


def is_sidecar(container: Container) -> bool:
    """An init container that keeps running beside the main ones."""
    return container.restartPolicy == "Always"


def main_and_init(pod: Pod) -> Iterator[Container]:
    """Init containers in their order, then the main ones."""
    yield from pod.spec.initContainers
    yield from pod.spec.containers


def every(pod: Pod) -> Iterator[Container]:
    """All containers, at last those that somebody added to look into the running pod."""
    yield from main_and_init(pod)
    yield from ephemeral(pod)


def ephemeral(pod: Pod) -> tuple[Container, ...]:
    """Ephemeral containers, which are started once; all their fields but the target are a container's."""
    return tuple(Container(one.raw) for one in pod.spec.ephemeralContainers)


def target_name(pod: Pod, name: str) -> str:
    """Whose processes the ephemeral container called `name` is to see; empty for its own alone."""
    return next((one.targetContainerName for one in pod.spec.ephemeralContainers if one.name == name), "")


def find(pod: Pod, name: str) -> Container | None:
    """The container called `name`."""
    return next((container for container in every(pod) if container.name == name), None)


def type_of(pod: Pod, name: str) -> str:
    """Which of a pod's containers it is, as metrics name it."""
    if any(container.name == name for container in pod.spec.initContainers):
        return "init_container"
    ephemeral_one = any(container.name == name for container in pod.spec.ephemeralContainers)
    return "ephemeral_container" if ephemeral_one else "container"


def field_path(pod: Pod, name: str) -> str:
    """Where the container stands in the spec, as events refer to it."""
    if any(container.name == name for container in pod.spec.initContainers):
        return f"spec.initContainers{{{name}}}"
    if any(container.name == name for container in pod.spec.ephemeralContainers):
        return f"spec.ephemeralContainers{{{name}}}"
    return f"spec.containers{{{name}}}"


def shape(container: Container) -> str:
    """Changes when the container must be made anew: when its name or image does, all else cannot change."""
    return hashlib.sha256(f"{container.name}\0{container.image}".encode()).hexdigest()[:8]


def restart_rule(container: Container, exit_code: int) -> ContainerRestartRule | None:
    """The container's first rule for an exit code (KEP-5307)."""
    for rule in container.restartPolicyRules:
        if (exit_code in rule.exitCodes.values) == (rule.exitCodes.operator == "In"):
            return rule
    return None


def calls_for_all(container: Container, exit_code: int) -> bool:
    """Whether the container's rules have the whole pod start anew after such an end (KEP-5532)."""
    rule = restart_rule(container, exit_code)
    return rule is not None and rule.action == "RestartAllContainers"


def may_restart_all(pod: Pod) -> bool:
    """Whether a container has a rule that has the whole pod start anew."""
    return any(rule.action == "RestartAllContainers" for one in main_and_init(pod) for rule in one.restartPolicyRules)


def restarts_after(pod: Pod, container: Container, exit_code: int) -> bool:
    """Whether a container that ended so runs again: its own rules first, its own policy, the pod's."""
    if any(one.name == container.name for one in pod.spec.ephemeralContainers):
        return False
    if container.restartPolicy and restart_rule(container, exit_code) is not None:
        return True
    initial = any(one.name == container.name for one in pod.spec.initContainers)
    if initial and exit_code == 0 and not is_sidecar(container):
        return False
    match container.restartPolicy or pod.spec.restartPolicy or "Always":
        case "Never":
            return False
        case "OnFailure":
            return exit_code != 0
    return True


def restarts_when_killed(pod: Pod, container: Container) -> bool:
    """Whether a container that probes found broken runs again; rules ask for an exit code, which is not known yet."""
    return (container.restartPolicy or pod.spec.restartPolicy or "Always") != "Never"


def wants_restart(pod: Pod, container: Container, run: cri.Container | None) -> bool:
    """Whether the policies have the container run (again), given its newest run."""
    if run is None or run.state in (cri.ContainerState.CREATED, cri.ContainerState.UNKNOWN):
        return True
    return run.state is cri.ContainerState.EXITED and restarts_after(pod, container, run.exit_code)


def describe(pod: Pod) -> str:
    """`name_namespace(uid)`, as messages name a pod."""
    return f"{pod.metadata.name}_{pod.metadata.namespace}({pod.metadata.uid})"
