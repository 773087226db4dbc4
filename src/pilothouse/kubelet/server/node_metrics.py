"""What is not counted but looked at when somebody asks: the node, its pods and containers as they are. Pure.

Names, texts and labels are a contract. Source: pkg/kubelet/metrics/metrics.go; kubelet_pods.go, HandlePodCleanups.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.cri.interface import ContainerState
from pilothouse.kubelet.cri.picture import Picture
from pilothouse.kubelet.managers.static_cpus import StaticCpus
from pilothouse.kubelet.managers.static_memory import StaticMemory
from pilothouse.kubelet.observed import ResizeState
from pilothouse.kubelet.server.exposition import Family, labels
from pilothouse.kubelet.static_pods.manifest import SOURCE

_LIFECYCLES = ("sync", "terminating", "terminated")
_STATIC = ("", "true")


class AtWork(Protocol):
    """A pod that somebody works on."""

    @property
    def pod(self) -> Pod:
        """As last heard of."""
        ...

    @property
    def placed(self) -> bool:
        """Whether it takes up room."""
        ...

    @property
    def lifecycle(self) -> str:
        """How far it is."""
        ...

    @property
    def orphaned(self) -> bool:
        """Whether nobody wants it any more."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeMetrics:
    """Of one node."""

    node_name: str
    cgroup_version: int
    pods: Callable[[], Iterable[AtWork]]
    picture: Callable[[], Picture]
    """What the runtime has, by the uid of its pod."""
    resize_state: Callable[[str], ResizeState]
    """How far a change of a pod's resources is, by uid."""
    images_removed: Callable[[], Mapping[str, int]]
    """How many, by what for."""
    cpus: StaticCpus | None = None
    memory: StaticMemory | None = None

    def families(self) -> list[Family]:
        """All of them."""
        pods, picture = list(self.pods()), self.picture()
        return [
            *self._node(), *_pods(pods), *_at_work(pods, picture), *_running(picture), *self._resizes(pods),
            *([] if self.cpus is None else _processors(self.cpus)),
            *([] if self.memory is None else _pinning("memory", "memory pages", "that failed", self.memory)),
        ]  # fmt: skip

    def _node(self) -> list[Family]:
        name = _gauge("node_name", "The node's name. The count is always 1.")
        name.add(1, labels({"node": self.node_name}))
        version = _gauge("cgroup_version", "cgroup version on the hosts.")
        version.add(self.cgroup_version)
        images = Family(
            "kubelet_image_garbage_collected_total", "counter",
            "[ALPHA] Total number of images garbage collected by the kubelet, whether through disk usage or image age.",
        )  # fmt: skip
        for reason, count in self.images_removed().items():
            images.add(count, labels({"reason": reason}))
        provider = _gauge(
            "metrics_provider",
            "Metrics provider used by kubelet to collect container stats. Values can be 'cadvisor' and 'cri'",
        )
        provider.add(1, labels({"provider": "cri"}))
        return [name, version, images, provider]

    def _resizes(self, pods: Iterable[AtWork]) -> list[Family]:
        states = [self.resize_state(one.pod.metadata.uid) for one in pods]
        pending = _gauge("pod_pending_resizes", "Number of pending resizes for pods.")
        waiting = Counter(state.pending.reason.lower() for state in states if state.pending is not None)
        for reason, count in sorted(waiting.items()):
            pending.add(count, labels({"reason": reason}))
        under_way = _gauge("pod_in_progress_resizes", "Number of in-progress resizes for pods.")
        under_way.add(sum(state.in_progress is not None for state in states))
        return [pending, under_way]


def _gauge(name: str, text: str) -> Family:
    return Family(f"kubelet_{name}", "gauge", f"[ALPHA] {text}")


def _is_static(pod: Pod) -> str:
    return "true" if pod.metadata.annotations.get(SOURCE, "api") != "api" else ""


def _pods(pods: Iterable[AtWork]) -> list[Family]:
    wanted = [one for one in pods if not one.orphaned]
    desired = _gauge(
        "desired_pods",
        "The number of pods the kubelet is being instructed to run. static is true if the pod is not from the "
        "apiserver.",
    )
    active = _gauge(
        "active_pods",
        "The number of pods the kubelet considers active and which are being considered when admitting new pods. "
        "static is true if the pod is not from the apiserver.",
    )
    for static in _STATIC:
        alike = [one for one in wanted if _is_static(one.pod) == static]
        desired.add(len(alike), labels({"static": static}))
        active.add(sum(one.placed for one in alike), labels({"static": static}))
    mirror = _gauge(
        "mirror_pods", "The number of mirror pods the kubelet will try to create (one per admitted static pod)"
    )
    mirror.add(sum(one.placed and bool(_is_static(one.pod)) for one in wanted))
    ephemeral = _gauge(
        "managed_ephemeral_containers", "Current number of ephemeral containers in pods managed by this kubelet."
    )
    ephemeral.add(sum(len(one.pod.spec.ephemeralContainers) for one in wanted))
    return [desired, active, mirror, ephemeral]


def _at_work(pods: Iterable[AtWork], picture: Picture) -> list[Family]:
    found = Counter(
        (one.lifecycle, "orphan" if one.orphaned else "desired", _is_static(one.pod)) for one in pods
    )  # fmt: skip
    known = {one.pod.metadata.uid for one in pods}
    found["sync", "runtime_only", "unknown"] = sum(uid not in known for uid in picture)
    family = _gauge(
        "working_pods",
        "Number of pods the kubelet is actually running, broken down by lifecycle phase, whether the pod is desired, "
        "orphaned, or runtime only (also orphaned), and whether the pod is static. An orphaned pod has been removed "
        "from local configuration or force deleted in the API and consumes resources that are not otherwise visible.",
    )
    kinds = [(config, static) for config in ("desired", "orphan") for static in _STATIC]
    for lifecycle in _LIFECYCLES:
        for config, static in (*kinds, ("runtime_only", "unknown")):
            about = labels({"lifecycle": lifecycle, "config": config, "static": static})
            family.add(found[lifecycle, config, static], about)
    return [family]


def _running(picture: Picture) -> list[Family]:
    pods = _gauge("running_pods", "Number of pods that have a running pod sandbox")
    pods.add(sum(any(state is True for _, state in found) for found in picture.values()))
    containers = _gauge("running_containers", "Number of containers currently running")
    states = Counter(
        state.name.lower() for found in picture.values() for _, state in found if isinstance(state, ContainerState)
    )
    for state, count in sorted(states.items()):
        containers.add(count, labels({"container_state": state}))
    return [pods, containers]


def _processors(cpus: StaticCpus) -> list[Family]:
    """Those that containers have for themselves, and those that are shared."""
    own = _gauge(
        "cpu_manager_exclusive_cpu_allocation_count",
        "The total number of CPUs exclusively allocated to containers running on this node",
    )
    own.add(sum(cpus.owned_by_node().values()))
    shared = _gauge(
        "cpu_manager_shared_pool_size_millicores",
        "The size of the shared CPU pool for non-guaranteed QoS pods, in millicores.",
    )
    shared.add(1000 * len(cpus.shared))
    nodes = _gauge("cpu_manager_allocation_per_numa", "Number of CPUs allocated per NUMA node")
    for node, count in cpus.owned_by_node().items():
        nodes.add(count, labels({"numa_node": str(node)}))
    return [own, shared, nodes, *_pinning("cpu", "cpu core", "failed", cpus)]


def _pinning(manager: str, what: str, end: str, given: StaticCpus | StaticMemory) -> list[Family]:
    """How often containers were to have some of their own."""
    text = f"[ALPHA] The number of {what} allocations which required pinning"
    asked = Family(f"kubelet_{manager}_manager_pinning_requests_total", "counter", f"{text}.")
    asked.add(given.asked)
    failed = Family(f"kubelet_{manager}_manager_pinning_errors_total", "counter", f"{text} {end}.")
    failed.add(given.failed)
    return [asked, failed]
