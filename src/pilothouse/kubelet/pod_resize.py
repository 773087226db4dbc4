"""Puts what a running pod is granted into force: in its own control group and in its containers.

The pod's group grows before its containers and shrinks after them, so that at no moment their limits together exceed
its own. No limit is set below what is used: version 2 of control groups would have the kernel kill for it.
"""

from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.containers import find
from pilothouse.kubelet.cri.interface import CriError, CriUnimplemented
from pilothouse.kubelet.node_services import NodeServices
from pilothouse.kubelet.observed import ObservedPod
from pilothouse.kubelet.pod_plan import PodPlan, Resize
from pilothouse.kubelet.resources.swap import swap_limits
from pilothouse.kubelet.runtime_config import sandbox_resources

_NO_LESS = "cannot decrease memory limits: "


class ResizeError(Exception):
    """Something of it is not in force. It is tried again later, all of it."""


class PodResize:
    """Of all pods; keeps nothing between calls."""

    def __init__(self, node: NodeServices) -> None:
        self._node = node

    async def run(self, pod: Pod, plan: PodPlan, observed: ObservedPod) -> None:
        """Take the plan's steps for the pod as it is granted. Raises ResizeError."""
        node = self._node
        try:
            if plan.fit:
                await self._check(pod, plan.resize, observed)
                node.cgroups.resize(pod, grow=True)
            for step in plan.resize:
                await node.cri.update_resources(step.container_id, self._with_swap(pod, step))
            if plan.fit:
                node.cgroups.resize(pod, grow=False)
                await self._tell_runtime(pod, observed)
        except (CriError, OSError) as error:
            raise ResizeError(str(error)) from error

    def _with_swap(self, pod: Pod, step: Resize) -> JsonObject:
        """With version 1 of control groups a limit of memory stands below one of memory and swap together."""
        container = find(pod, step.name)
        if container is None or "memory_limit_in_bytes" not in step.linux:
            return step.linux
        swap = swap_limits(pod, container, self._node.facts.swap)
        return step.linux | {name: limit for name, limit in swap.items() if name == "memory_swap_limit_in_bytes"}

    async def _check(self, pod: Pod, resizes: tuple[Resize, ...], observed: ObservedPod) -> None:
        """No limit of memory may fall below what is used now."""
        complaints: list[str] = []
        if (excess := self._node.cgroups.excess(pod)) is not None:
            limit, used = excess
            complaints.append(f"attempting to set pod memory limit ({limit}) below current usage ({used})")
        less = {one.container_id: limit for one in resizes if (limit := _lowered(one, observed))}
        for use in await self._node.cri.container_stats(pod.metadata.uid) if less else ():
            limit, used = less.get(use.id, 0), (use.memory.usage or 0) if use.memory is not None else 0
            if limit and used >= limit:
                whose = f'container "{use.name}"'
                complaints.append(f"attempting to set {whose} memory limit ({limit}) below current usage ({used})")
        if complaints:
            text = complaints[0] if len(complaints) == 1 else f"[{', '.join(complaints)}]"
            raise ResizeError(f"{_NO_LESS}{text}")

    async def _tell_runtime(self, pod: Pod, observed: ObservedPod) -> None:
        """Virtual machines have to know; other runtimes need not."""
        if observed.sandbox is not None:
            overhead, resources = sandbox_resources(pod)
            try:
                await self._node.cri.update_sandbox_resources(observed.sandbox.id, overhead, resources)
            except CriUnimplemented:
                return


def _lowered(step: Resize, observed: ObservedPod) -> int:
    """The limit of memory that a step sets below the one before; 0 when it sets none, or a higher one."""
    limit: int = step.linux.get("memory_limit_in_bytes", 0)
    run = next((run for run in observed.containers if run.id == step.container_id), None)
    before = run.resources.memory_limit_in_bytes if run is not None and run.resources is not None else 0
    return limit if limit > 0 and (before <= 0 or limit < before) else 0
