"""Looks at a pod, and says how it is: what the runtime reports and the kubelet remembers, made into its status."""

from dataclasses import replace

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet import pod_files
from pilothouse.kubelet.cri.interface import ContainerState
from pilothouse.kubelet.node_services import NodeServices
from pilothouse.kubelet.observed import ObservedPod, observe
from pilothouse.kubelet.pod_memory import PodMemory
from pilothouse.kubelet.status import pod_ips, pod_status
from pilothouse.kubelet.termination import fair_share, with_message

_OF_REFUSED = frozenset({"observedGeneration", "phase", "qosClass", "startTime", "reason", "message"})
"""All that is said of a pod that the node does not take: clients then show the reason, not how its containers are."""


class PodReporter:
    """For all pods; keeps nothing between calls."""

    def __init__(self, node: NodeServices) -> None:
        self._node = node

    async def observe(self, memory: PodMemory) -> ObservedPod:
        """The pod as of now. Runs that have ended are remembered with their last words."""
        pod = memory.pod
        observed = await observe(self._node.cri, pod.metadata.uid, memory.ended, memory.addressed)
        box = observed.sandbox
        memory.addressed = box if box is not None and box.ready and box.ips else None
        containers = []
        for run in observed.containers:
            if run.state is ContainerState.EXITED and run.id not in memory.ended:
                file = pod_files.message_file(pod, run.name, run.attempt, self._node.facts)
                run = with_message(run, file, fair_share(pod))
                memory.ended[run.id] = run
            containers.append(run)
        cpus, present = self._node.cpus, {run.id for run in containers}
        memory.ended = {key: run for key, run in memory.ended.items() if key in present}
        return replace(
            observed, containers=tuple(containers), waits=memory.waits, failures=memory.failures,
            health=self._node.prober.health(pod.metadata.uid),
            unthrottled=cpus.unthrottled(pod.metadata.uid) if cpus is not None else frozenset(),
            runtime=self._node.runtime_name(), resize=self._node.allocations.resize_state(pod.metadata.uid),
        )  # fmt: skip

    def report(self, memory: PodMemory, observed: ObservedPod, *, over: bool = False) -> None:
        """Say how the pod is, on top of what was last said. `over`: its processes are gone."""
        pod, node = self.with_status(memory), self._node
        verdict = memory.verdict if over else None
        granted = node.allocations.applied(pod)
        status = pod_status(granted, observed, node.clock.now(), node.host_ips, over=over, verdict=verdict)
        if node.devices is not None:
            status = node.devices.with_health(memory.pod, status)
        if node.dynamic_resources is not None:
            status = node.dynamic_resources.with_health(memory.pod, status)
        if memory.refused:
            status = {name: value for name, value in status.items() if name in _OF_REFUSED}
        if not memory.removed:
            node.writer.put(pod, status)

    def with_status(self, memory: PodMemory) -> Pod:
        """The pod's spec as it is, with the newest status that is known."""
        pod = memory.pod
        known = self._node.writer.last(pod)
        return pod if known is pod else Pod({**pod.raw, "status": known.raw.get("status") or {}})

    def address(self, pod: Pod, observed: ObservedPod) -> str:
        """Where the pod is reached; empty while it is not."""
        return next(iter(pod_ips(pod, observed, self._node.host_ips)), "")
