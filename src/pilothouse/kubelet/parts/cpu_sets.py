"""Has running containers leave the processors that others have for themselves, and return to those that are free again.

Upstream: reconcileState in pkg/kubelet/cm/cpumanager/cpu_manager.go.
"""

from collections.abc import Mapping
from typing import Protocol

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.cri.interface import ContainerState, Cri, CriError
from pilothouse.kubelet.managers.cpu_list import Cpus, text
from pilothouse.kubelet.managers.static_cpus import StaticCpus
from pilothouse.kubelet.part import NodeContext, Part
from pilothouse.runtime.log import Log

log = Log(__name__)


class Known(Protocol):
    """Knows the node's pods."""

    def pods(self) -> Mapping[str, Pod]:
        """The pods at work, by uid."""
        ...


class CpuSets(Part):
    """Looks every few seconds whether all have what they should."""

    name = "cpu sets"
    early = True  # static pods share processors too

    async def run(self, node: NodeContext) -> None:
        """Tell the runtime, for ever."""
        services = node.services
        if services.cpus is None:
            return
        told: dict[str, Cpus] = {}
        while True:
            told = await reconcile(services.cri, node.workers, services.cpus, told)
            await services.clock.sleep(node.config.exclusive.reconcile_period)


async def reconcile(cri: Cri, workers: Known, cpus: StaticCpus, told: dict[str, Cpus]) -> dict[str, Cpus]:
    """Tell the runtime what it was not `told` yet; what it has been told now, by container id."""
    cpus.refresh()
    pods, now = workers.pods(), dict[str, Cpus]()
    try:
        owners = {box.id: box.uid for box in await cri.sandboxes()}
        running = [one for one in await cri.containers() if one.state is ContainerState.RUNNING]
    except CriError as error:
        log.warning("Failed to list containers", err=str(error))
        return told
    for one in running:
        uid = owners.get(one.sandbox_id, "")
        wanted = cpus.of(uid, one.name)
        if uid not in pods or not wanted:
            continue
        if told.get(one.id) != wanted:
            try:
                await cri.update_resources(one.id, {"cpuset_cpus": text(wanted)})
            except CriError as error:
                log.error("Failed to update container", container=one.name, cpuset=text(wanted), err=str(error))
                continue
        now[one.id] = wanted
    return now
