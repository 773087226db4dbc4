"""/stats/summary: what the node and its pods use; `only_cpu_and_memory=true` leaves the rest out.

Source: pkg/kubelet/server/stats/handler.go.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import orjson

from pilothouse.kubelet import disk_usage
from pilothouse.kubelet.cri.interface import CriError
from pilothouse.kubelet.cri.usage import FilesystemShare
from pilothouse.kubelet.disk_usage import FilesystemUse
from pilothouse.kubelet.machine import Processes
from pilothouse.kubelet.resources.node_cgroups import kubepods, pods_limits
from pilothouse.kubelet.server.page import Page
from pilothouse.kubelet.server.question import Question
from pilothouse.kubelet.server.text import Refused
from pilothouse.kubelet.summary import NodeFigures, summary
from pilothouse.net.http import Response
from pilothouse.runtime.clock import Instant
from pilothouse.runtime.log import Log

log = Log(__name__)


class StatsSummary(Page):
    """In JSON."""

    paths = ("stats/summary",)
    methods = ("GET", "POST")

    async def answer(self, question: Question) -> Response:
        """The document. Raises Refused."""
        stats, loads_alone = self._around.stats, question.value("only_cpu_and_memory") == "true"
        try:
            pods = await (stats.loads() if loads_alone else stats.pods())
            found = summary(await stats.node(), await self._figures(loads_alone), pods, loads_alone=loads_alone)
        except (CriError, OSError) as error:
            raise Refused(500, f"Internal Error: {error}") from error
        return Response(200, orjson.dumps(found))

    async def _figures(self, loads_alone: bool) -> NodeFigures:
        around, config = self._around, self._around.config
        known = NodeFigures(
            name=config.node_name, started=around.started, memory=around.machine.memory,
            kubepods=kubepods(config.cgroup_root),
            kubepods_limit=pods_limits(around.machine, 0, config.reservations).memory or 0, now=around.clock.now(),
        )  # fmt: skip
        return known if loads_alone else await self._with_disks(known)

    async def _with_disks(self, known: NodeFigures) -> NodeFigures:
        told, root = await self._around.cri.image_filesystems(), self._around.config.root

        def measure() -> NodeFigures:
            images = _share(told.images, known.now)
            return replace(
                known, root=disk_usage.filesystem(root, known.now), images=images,
                containers=_share(told.containers, known.now) or images, processes=Processes.read(),
            )  # fmt: skip

        return await asyncio.to_thread(measure)


def _share(told: Sequence[FilesystemShare], now: Instant) -> FilesystemUse | None:
    """The first one counts; none when it lies where the kubelet cannot see it."""
    for one in told:
        try:
            return disk_usage.share(Path(one.mountpoint), now, one.used or 0, one.inodes_used or 0)
        except OSError as error:
            log.warning("Failed to get the info of the filesystem with mountpoint", err=str(error))
            return None
    return None
