"""Housekeeping: what lies on the node and belongs to nobody is removed.

Workers take their pods away themselves; this is for what ended while no kubelet was there, for what a call left behind
that was given up, and for the sandboxes that a living pod has had. Whoever has a worker is known, and nothing of a
known pod is touched but its dead, empty sandboxes. So lists are made first, and who is known is asked after that.
Upstream: kuberuntime_gc.go, kubelet_volumes.go and HandlePodCleanups.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from pilothouse.kubelet.counts.orphan_counts import OrphanCounts
from pilothouse.kubelet.cri.interface import Container, Cri, CriError, Sandbox
from pilothouse.kubelet.layout import Layout
from pilothouse.kubelet.log_links import LogLinks
from pilothouse.kubelet.pod_volumes import Volumes
from pilothouse.kubelet.resources.pod_cgroups import PodCgroups
from pilothouse.kubelet.runtime_config import GRACE
from pilothouse.kubelet.volume import Mounter, VolumeError
from pilothouse.runtime.log import Log
from pilothouse.runtime.metrics import Metrics

log = Log(__name__)
_GRACE = 30.0
_POD_UID = "io.kubernetes.pod.uid"
Known = Callable[[], Collection[str]]
"""The uids of the pods that somebody looks after, as of now."""


@dataclass(slots=True)
class Stranger:
    """What the runtime has of a pod that nobody knows."""

    sandboxes: list[Sandbox] = field(default_factory=list)
    containers: list[Container] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What may go of all that the runtime has."""

    strangers: dict[str, Stranger]
    """By uid."""
    spent: tuple[Sandbox, ...]
    """Of known pods: such that do not run, hold nothing, and have a successor."""


def leftovers(sandboxes: Sequence[Sandbox], containers: Sequence[Container], known: Collection[str]) -> Leftovers:
    """Sort out what belongs to nobody. Pure."""
    strangers: dict[str, Stranger] = {}
    newest: dict[str, Sandbox] = {}
    for box in sandboxes:
        if not box.uid:
            continue
        if box.uid not in known:
            strangers.setdefault(box.uid, Stranger()).sandboxes.append(box)
        elif (other := newest.get(box.uid)) is None or _age(box) > _age(other):
            newest[box.uid] = box
    owners = {box.id: box.uid for box in sandboxes}
    for container in containers:
        uid = owners.get(container.sandbox_id) or container.labels.get(_POD_UID, "")
        if uid and uid not in known:  # what is no pod's is not ours to end
            strangers.setdefault(uid, Stranger()).containers.append(container)
    used = {container.sandbox_id for container in containers}
    spent = (box for box in sandboxes if box.uid in known and not box.ready and box.id not in used)
    return Leftovers(strangers, tuple(box for box in spent if box is not newest[box.uid]))


def _age(box: Sandbox) -> tuple[int, float]:
    return box.attempt, box.created_at


class Housekeeping:
    """One node's."""

    def __init__(
        self, cri: Cri, volumes: Volumes, cgroups: PodCgroups, mounter: Mounter, layout: Layout,
        counts: OrphanCounts | None = None,
    ) -> None:  # fmt: skip
        self._cri = cri
        self._volumes = volumes
        self._cgroups = cgroups
        self._mounter = mounter
        self._layout = layout
        self._counts = counts or OrphanCounts(Metrics())

    async def sweep(self, known: Known) -> bool:
        """Remove what belongs to nobody; whether all of it is gone. What stays keeps nothing else from going."""
        try:
            sandboxes, containers = await self._cri.sandboxes(), await self._cri.containers()
        except CriError as error:
            log.warning("Could not look for what belongs to no pod", err=str(error))
            return False
        stuck: set[str] = set()

        async def stranger(uid: str, found: Stranger) -> None:
            try:
                await self._end(uid, found)
            except CriError as error:
                log.warning("Could not remove a pod that is not known", uid=uid, err=str(error))
                stuck.add(uid)

        found = leftovers(sandboxes, containers, known())
        self._counts.meet(found.strangers)
        async with asyncio.TaskGroup() as group:
            for uid, of_pod in found.strangers.items():
                group.create_task(stranger(uid, of_pod), name=f"removal of pod {uid}")
        gone = await self._remove_spent(found.spent)
        # What a process may still use stays.
        return await self._remove_files(lambda: {*known(), *stuck}) and gone and not stuck

    async def _end(self, uid: str, found: Stranger) -> None:
        pod = next((f"{box.namespace}/{box.name}" for box in found.sandboxes), "")
        log.info("Removing a pod that is not known", pod=pod, uid=uid)
        ends = [self._cri.stop_container(one.id, _grace(one)) for one in found.containers]
        results = await asyncio.gather(*ends, return_exceptions=True)
        for error in results:
            if isinstance(error, BaseException):
                raise error
        for box in found.sandboxes:
            await self._cri.stop_sandbox(box.id)
            await self._cri.remove_sandbox(box.id)
        within = {box.id for box in found.sandboxes}
        for container in found.containers:
            if container.sandbox_id not in within:
                await self._cri.remove_container(container.id)

    async def _remove_spent(self, spent: Sequence[Sandbox]) -> bool:
        for box in spent:
            try:
                await self._cri.stop_sandbox(box.id)
                await self._cri.remove_sandbox(box.id)
            except CriError as error:
                log.warning("Could not remove a dead sandbox", sandbox=box.id, err=str(error))
                return False
        return True

    async def _remove_files(self, known: Known) -> bool:
        """Directories, logs and control groups of pods that are not known."""
        gone = True
        for remove in (self._remove_directories, self._remove_logs, self._remove_links):
            try:
                gone = await remove(known) and gone
            except OSError as error:
                log.warning("Could not look for what belongs to no pod", err=str(error))
                gone = False
        try:
            self._cgroups.remove_strangers(set(known()))
        except OSError as error:
            log.warning("Could not remove control groups", err=str(error))
            return False
        return gone

    async def _remove_directories(self, known: Known) -> bool:
        """All at once: one volume that does not let go takes its time, and keeps no other."""
        stayed: list[str] = []
        went = 0

        async def one(uid: str) -> None:
            nonlocal went
            try:
                if uid not in known():
                    await self._volumes.tear_down(uid)
                    went += 1
            except (VolumeError, OSError) as error:
                # It stays, with its record.
                log.warning("Could not take volumes away", uid=uid, err=str(error))
                stayed.append(uid)

        uids = await asyncio.to_thread(_entries, self._layout, "pods")
        async with asyncio.TaskGroup() as group:
            for uid in uids:
                group.create_task(one(uid), name=f"leftovers of {uid}")
        self._counts.cleaned.set(went)
        self._counts.not_cleaned.set(len(stayed))
        return not stayed

    async def _remove_logs(self, known: Known) -> bool:
        for name in await asyncio.to_thread(_entries, self._layout, "logs"):
            # What is called otherwise is no pod's: podLogsDir may name a directory that others use as well.
            if name.count("_") == 2 and name.rpartition("_")[2] not in known():
                try:
                    await asyncio.to_thread(self._mounter.remove_tree, self._layout.logs / name)
                except OSError as error:
                    log.warning("Could not remove logs", directory=name, err=str(error))
                    return False
        return True

    async def _remove_links(self, _known: Known) -> bool:
        await LogLinks(self._layout.log_links).sweep(self._cri)
        return True


def _grace(container: Container) -> float:
    told = container.annotations.get(GRACE, "")
    return float(told) if told.isdecimal() else _GRACE


def _entries(layout: Layout, what: str) -> list[str]:
    place = layout.pods if what == "pods" else layout.logs
    return sorted(entry.name for entry in place.iterdir()) if place.is_dir() else []
