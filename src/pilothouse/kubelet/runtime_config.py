"""The runtime's configuration of sandboxes and containers, built from a pod: pure.

Labels and annotations are upstream's: from them a restarted kubelet, and tools such as crictl, know whose is what.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Container, Pod
from pilothouse.kubelet.containers import main_and_init, shape
from pilothouse.kubelet.cri.interface import Image
from pilothouse.kubelet.cri.messages import enum_value
from pilothouse.kubelet.cri.signals import signal_number
from pilothouse.kubelet.layout import Layout
from pilothouse.kubelet.lifecycle import SHAPE_LABEL
from pilothouse.kubelet.machine import Machine
from pilothouse.kubelet.names_and_dns import Resolver, uts_name
from pilothouse.kubelet.resize import MADE_WITH, made_with
from pilothouse.kubelet.resources.linux import Limits, container_limits, hugepage_limits, overhead_limits, pod_limits
from pilothouse.kubelet.resources.qos import oom_score_adjust
from pilothouse.kubelet.resources.swap import SwapFacts, swap_limits
from pilothouse.kubelet.security import SecurityFacts, container_security, sandbox_security
from pilothouse.kubelet.security_policy import STRICT, SecurityPolicy
from pilothouse.kubelet.sysctls import dotted
from pilothouse.kubelet.userns import ALL_USERS, IdPool

POD_NAME = "io.kubernetes.pod.name"
POD_NAMESPACE = "io.kubernetes.pod.namespace"
POD_UID = "io.kubernetes.pod.uid"
CONTAINER_NAME = "io.kubernetes.container.name"
GRACE = "io.kubernetes.pod.terminationGracePeriod"
RESTART_COUNT = "io.kubernetes.container.restartCount"
MESSAGE_PATH = "io.kubernetes.container.terminationMessagePath"
MESSAGE_POLICY = "io.kubernetes.container.terminationMessagePolicy"
NO_SWAP_COUNTED = SwapFacts()


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What configurations take from the node."""

    layout: Layout
    cluster_domain: str
    memory: int
    """Bytes of memory, for OOM scores."""
    cgroup_v2: bool = False
    page_sizes: tuple[int, ...] = ()
    """Of huge pages, in bytes."""
    hot_paths: tuple[str, ...] = ()
    """Of the processors, which containers shall not see."""
    policy: SecurityPolicy = STRICT
    users: IdPool = ALL_USERS
    """What pods with users of their own get theirs from."""
    swap: SwapFacts = NO_SWAP_COUNTED

    @classmethod
    def of(
        cls, machine: Machine, layout: Layout, cluster_domain: str, *, cgroup_v2: bool,
        policy: SecurityPolicy = STRICT, users: IdPool = ALL_USERS, swap: SwapFacts = NO_SWAP_COUNTED,
    ) -> Self:  # fmt: skip
        """What configurations take from this machine."""
        sizes = tuple(sorted(machine.hugepages))
        return cls(layout, cluster_domain, machine.memory, cgroup_v2, sizes, machine.hot_paths, policy, users, swap)

    @property
    def security(self) -> SecurityFacts:
        """What of it security contexts take."""
        return SecurityFacts(self.layout.root / "seccomp", self.hot_paths, self.policy.seccomp_default)


@dataclass(frozen=True, slots=True)
class Mount:
    """A host path inside a container."""

    container_path: str
    host_path: str
    read_only: bool = False
    propagation: str = ""
    recursive_read_only: bool = False
    """With all that is mounted below."""
    image: JsonObject | None = None
    """An image in place of a host path."""
    image_sub_path: str = ""


def pod_labels(pod: Pod) -> dict[str, str]:
    """Labels that say whose it is."""
    meta = pod.metadata
    return {POD_NAME: meta.name, POD_NAMESPACE: meta.namespace, POD_UID: meta.uid}


def sandbox_config(pod: Pod, attempt: int, cgroup_parent: str, resolver: Resolver, facts: NodeFacts) -> JsonObject:
    """The configuration of a pod's sandbox."""
    meta = pod.metadata
    overhead, resources = sandbox_resources(pod)
    config: JsonObject = {
        "metadata": {"name": meta.name, "namespace": meta.namespace, "uid": meta.uid, "attempt": attempt},
        "hostname": "" if pod.spec.hostNetwork else uts_name(pod, facts.cluster_domain),
        "log_directory": str(facts.layout.pod_logs(meta.namespace, meta.name, meta.uid)),
        "dns_config": resolver.message(),
        "labels": {**meta.labels, **pod_labels(pod)},
        "annotations": dict(meta.annotations),
        "linux": {
            "cgroup_parent": cgroup_parent,
            "security_context": sandbox_security(pod),
            "sysctls": {dotted(sysctl.name): sysctl.value for sysctl in pod.spec.securityContext.sysctls},
            "resources": resources,
            **({"overhead": overhead} if pod.spec.overhead else {}),
        },
    }
    ports = [] if pod.spec.hostNetwork else _port_mappings(pod)
    return config | ({"port_mappings": ports} if ports else {})


def _port_mappings(pod: Pod) -> list[JsonObject]:
    return [
        {
            "protocol": enum_value("Protocol", port.protocol or "TCP"), "container_port": port.containerPort,
            "host_port": port.hostPort, "host_ip": port.hostIP,
        }
        for container in main_and_init(pod)
        for port in container.ports
        if port.hostPort
    ]  # fmt: skip


def sandbox_resources(pod: Pod) -> tuple[JsonObject, JsonObject]:
    """What a pod's sandbox needs for itself, and what the pod has in all."""
    return _resources(overhead_limits(pod)), _resources(pod_limits(pod))


def _resources(limits: Limits) -> JsonObject:
    return {
        "cpu_shares": limits.cpu_shares, "cpu_quota": limits.cpu_quota, "cpu_period": limits.cpu_period,
        "memory_limit_in_bytes": limits.memory,
    }  # fmt: skip


def container_config(
    pod: Pod,
    container: Container,
    attempt: int,
    image: Image,
    environment: Sequence[tuple[str, str]],
    mounts: Sequence[Mount],
    facts: NodeFacts,
    *,
    target_id: str = "",
) -> JsonObject:
    """The configuration of one run of a container, which sees the processes of the target. Raises PolicyBroken."""
    env = dict(environment)
    config: JsonObject = {
        "metadata": {"name": container.name, "attempt": attempt},
        "image": {"image": image.id, "user_specified_image": container.image},
        "command": [expand(word, env) for word in container.command],
        "args": [expand(word, env) for word in container.args],
        "working_dir": container.workingDir,
        "envs": [{"key": key, "value": value} for key, value in environment],
        "mounts": [_mount(mount) for mount in mounts],
        "labels": {**pod_labels(pod), CONTAINER_NAME: container.name},
        "annotations": _annotations(pod, container, attempt),
        "log_path": f"{container.name}/{attempt}.log",
        "stdin": bool(container.stdin),
        "stdin_once": bool(container.stdinOnce),
        "tty": bool(container.tty),
        "linux": {
            "resources": _container_resources(pod, container, facts),
            "security_context": container_security(pod, container, image, facts.security, target_id=target_id),
        },
    }
    if container.securityContext.privileged:
        config["devices"] = []
    if container.lifecycle.stopSignal:
        config["stop_signal"] = signal_number(container.lifecycle.stopSignal)
    return config


def _annotations(pod: Pod, container: Container, attempt: int) -> dict[str, str]:
    restarting = made_with(container)
    return {
        **({MADE_WITH: restarting} if restarting else {}),
        SHAPE_LABEL: shape(container),
        RESTART_COUNT: str(attempt),
        MESSAGE_PATH: container.terminationMessagePath,
        MESSAGE_POLICY: container.terminationMessagePolicy,
        GRACE: str(grace_period(pod)),
    }


def grace_period(pod: Pod) -> int:
    """Seconds that the spec gives the pod to end."""
    given = pod.spec.terminationGracePeriodSeconds
    return 30 if given is None else given


def _container_resources(pod: Pod, container: Container, facts: NodeFacts) -> JsonObject:
    resources = _resources(container_limits(container))
    resources["oom_score_adj"] = oom_score_adjust(pod, container, facts.memory)
    if pages := hugepage_limits(container, facts.page_sizes):
        resources["hugepage_limits"] = [{"page_size": size, "limit": limit} for size, limit in pages.items()]
    swap = swap_limits(pod, container, facts.swap)
    if facts.cgroup_v2:
        swap["unified"] = {"memory.oom.group": "1", **swap.get("unified", {})}
    return {**resources, **swap}


def _mount(mount: Mount) -> JsonObject:
    propagation = {"HostToContainer": 1, "Bidirectional": 2}.get(mount.propagation, 0)
    return {
        "container_path": mount.container_path, "host_path": mount.host_path, "readonly": mount.read_only,
        "propagation": propagation,
        **({"recursive_read_only": True} if mount.recursive_read_only else {}),
        **({"image": mount.image, "image_sub_path": mount.image_sub_path} if mount.image else {}),
    }  # fmt: skip


def expand(text: str, environment: Mapping[str, str]) -> str:
    """Replace `$(NAME)` by the variable's value; `$$` is a dollar sign; what is unknown stays as written."""
    pieces: list[str] = []
    position = 0
    while (dollar := text.find("$", position)) >= 0 and dollar + 1 < len(text):
        pieces.append(text[position:dollar])
        follower = text[dollar + 1]
        end = text.find(")", dollar) if follower == "(" else -1
        if follower == "$":
            pieces.append("$")
            position = dollar + 2
        elif end >= 0:
            name = text[dollar + 2 : end]
            pieces.append(environment.get(name, f"$({name})"))
            position = end + 1
        elif follower == "(":
            pieces.append("$(")
            position = dollar + 2
        else:
            pieces.append(f"${follower}")
            position = dollar + 2
    pieces.append(text[position:])
    return "".join(pieces)
