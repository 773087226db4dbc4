"""The node's voice: registers the node, renews its lease, watches its runtime's health and reports its status.

A status is written when it has changed, or every five minutes; that the node lives, the lease says. What the status
says is decided in `node_status`. Upstream: pkg/kubelet/kubelet_node_status.go.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from pilothouse.api.machinery.errors import AlreadyExists, StatusError
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Node
from pilothouse.client.client import Client, PatchForm
from pilothouse.kubelet import node_lease, node_status
from pilothouse.kubelet.api import Recorder
from pilothouse.kubelet.cri.interface import Cri, CriError, Version
from pilothouse.kubelet.eviction.policy import EvictionPolicy
from pilothouse.kubelet.machine import Disk, Machine
from pilothouse.kubelet.node_report import NodeReport, ReportFacts
from pilothouse.kubelet.node_status import NOTHING_RESERVED, NodeIdentity
from pilothouse.kubelet.reservations import Reservations
from pilothouse.runtime.backoff import Backoff, Growth
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log
from pilothouse.runtime.tasks import Tasks

log = Log(__name__)
HEALTH_PERIOD = 5.0
"""Seconds between two questions about the runtime's health."""
_IMPATIENCE = 0.1
"""The same while the runtime is not ready, for the first minute."""
_REGISTER = Growth(first=0.2, limit=7.0)
_FAILURES = (StatusError, OSError, TimeoutError)
_TOLD = {
    ("MemoryPressure", "False"): "NodeHasSufficientMemory",
    ("MemoryPressure", "True"): "NodeHasInsufficientMemory",
    ("DiskPressure", "False"): "NodeHasNoDiskPressure",
    ("DiskPressure", "True"): "NodeHasDiskPressure",
    ("PIDPressure", "False"): "NodeHasSufficientPID",
    ("PIDPressure", "True"): "NodeHasInsufficientPID",
    ("Ready", "True"): "NodeReady",
    ("Ready", "False"): "NodeNotReady",
}
"""The event of each condition's change."""


class NodeAgent:
    """Speaks for one node. `start` begins; `problems` is why pods cannot run now."""

    def __init__(
        self, identity: NodeIdentity, machine: Machine, eviction: EvictionPolicy, disk: Callable[[], Disk],
        client: Client, cri: Cri, recorder: Recorder, clock: Clock, chance: Chance, reports: Sequence[NodeReport],
        reservations: Reservations = NOTHING_RESERVED,
    ) -> None:  # fmt: skip
        self._identity = identity
        self._machine = machine
        self._eviction = eviction
        self._disk = disk
        self._client = client
        self._cri = cri
        self._recorder = recorder
        self._clock = clock
        self._chance = chance
        self._reports = reports
        self._reservations = reservations
        self._news = asyncio.Event()
        self._health_known = asyncio.Event()
        self._version: Version | None = None
        self._written: JsonObject = {}
        self._written_at = 0.0
        self._told: dict[str, str] = {}
        self._listeners: list[Callable[[], None]] = []
        self._complaints: list[Callable[[], str]] = []
        self._gist: tuple[object, ...] = ()
        self._left: dict[int, dict[str, str]] = {}
        self.pressure: tuple[str, ...] = ()
        """The conditions that are true of the node because it runs out of something."""
        self.shutting_down = False
        """The machine is being shut down: the node takes no pods, and is not ready."""
        self.runtime_name = "containerd"
        """What the runtime calls itself, or called itself when it last answered."""
        self.problems: list[str] = ["container runtime status check may not have completed yet"]

    @property
    def allocatable(self) -> Mapping[str, str]:
        """What pods may have of the machine."""
        return self._allocatable(self._disk())

    def _allocatable(self, disk: Disk) -> dict[str, str]:
        """Every start of a pod asks, and only the size of a disk ever changes."""
        if disk.size not in self._left:
            self._left = {
                disk.size: node_status.allocatable(
                    self._machine, disk, self._identity.max_pods, self._eviction, self._reservations
                )
            }
        return dict(self._left[disk.size])

    @property
    def presumed(self) -> JsonObject:
        """The node as it would register itself, with what pods may have of it."""
        manifest = node_status.manifest(self._identity, self._machine)
        return {**manifest, "status": {"allocatable": dict(self.allocatable)}}

    def on_health(self, callback: Callable[[], None]) -> None:
        """Call back when `problems` has changed."""
        self._listeners.append(callback)

    def join(self, report: NodeReport) -> None:
        """Let it have its say in the status from now on."""
        self._reports = [*self._reports, report]

    def refresh(self) -> None:
        """What the status says may have changed: look at once."""
        self._news.set()

    def heed(self, complaint: Callable[[], str]) -> None:
        """Let `problems` have what `complaint` says too, when it says something."""
        self._complaints.append(complaint)

    def press(self, conditions: tuple[str, ...]) -> None:
        """The node runs out of something, or no longer: what `pressure` is from now on is told at once."""
        if conditions != self.pressure:
            self.pressure = conditions
            self._news.set()

    def shut_down(self, begun: bool) -> None:
        """The machine is being shut down, or no longer: it is told at once."""
        if begun != self.shutting_down:
            self.shutting_down = begun
            self._news.set()

    async def begin(self, tasks: Tasks) -> None:
        """Watch the runtime from now on; returns when it is known how it is."""
        tasks.spawn(self._watch_runtime(), name="runtime health")
        await self._health_known.wait()

    async def start(self, tasks: Tasks) -> None:
        """After `begin`: register, and go on in the background: status, lease."""
        await self._register()
        self._event("Normal", "Starting", "Starting kubelet.")
        tasks.spawn(self._report_forever(), name="node status")
        tasks.spawn(self._renew_forever(), name="node lease")

    async def _register(self) -> None:
        backoff = Backoff(_REGISTER)
        name = self._identity.name
        while True:
            status = await self._status({})
            try:
                manifest = {**node_status.manifest(self._identity, self._machine), "status": status}
                try:
                    await self._client.create(Node, manifest)
                except AlreadyExists:
                    await self._client.patch(Node, name, "", {"metadata": manifest["metadata"]})
                log.info("Registered node", node=name)
                return
            except _FAILURES as error:
                log.warning("Unable to register node with API server", node=name, err=str(error))
            await self._clock.sleep(backoff.next())

    async def _watch_runtime(self) -> None:
        impatient_until = self._clock.monotonic() + 60.0
        while True:
            told, found = [text for heard in self._complaints if (text := heard())], await self._ask_runtime()
            # What a complaint says may change all the time; that there is one is news.
            gist = (*found, len(told))
            changed, self._gist, self.problems = gist != self._gist, gist, [*told, *found]
            self._health_known.set()
            if changed:
                self._news.set()
                for callback in self._listeners:
                    callback()
            impatient = found and self._clock.monotonic() < impatient_until
            await self._clock.sleep(_IMPATIENCE if impatient else HEALTH_PERIOD)

    async def _ask_runtime(self) -> list[str]:
        try:
            status = await self._cri.status()
            self._version = self._version or await self._cri.version()
            self.runtime_name = self._version.name
        except CriError as error:
            self._version = None
            return node_status.problems(None, str(error))
        return node_status.problems(status)

    async def _report_forever(self) -> None:
        while True:
            self._news.clear()
            await self._attempt(self._report, "Unable to update node status")
            try:
                async with self._clock.timeout(self._identity.reporting.update_period):
                    await self._news.wait()
            except TimeoutError:
                continue

    async def _renew_forever(self) -> None:
        name, seconds = self._identity.name, self._identity.reporting.lease_seconds
        while True:
            await self._attempt(
                lambda: node_lease.renew(self._client, self._clock, name, seconds), "Failed to update node lease"
            )
            period = seconds / node_lease.RENEWALS
            await self._clock.sleep(period * (1 + self._chance.uniform(0, node_lease.JITTER)))

    async def _attempt(self, act: Callable[[], Awaitable[None]], failed: str) -> None:
        try:
            await act()
        except _FAILURES as error:
            log.warning(failed, node=self._identity.name, err=str(error))

    async def _report(self) -> None:
        """Write the status, if there is something to say. What failed is tried again in the next round."""
        name = self._identity.name
        present = (await self._client.get(Node, name, resource_version="0")).raw.get("status") or {}
        status = await self._status(present)
        now = self._clock.now()
        if _said(status) == _said(self._written) and now < self._written_at + self._identity.reporting.report_period:
            return
        addresses = [{"$patch": "replace"}, *status["addresses"]]
        patch = {"status": {**status, "addresses": addresses}}
        await self._client.patch(Node, name, "", patch, subresource="status", form=PatchForm.STRATEGIC)
        self._written, self._written_at = status, now
        self._tell(present, status)

    async def _status(self, present: Mapping[str, Any]) -> JsonObject:
        disk, identity, machine = self._disk(), self._identity, self._machine
        before = present.get("conditions") or ()
        problems = [*self.problems, *([node_status.SHUTTING_DOWN] if self.shutting_down else [])]
        status: JsonObject = {
            "addresses": node_status.addresses(identity),
            "allocatable": self._allocatable(disk),
            "capacity": node_status.capacity(machine, disk, identity.max_pods),
            "conditions": node_status.conditions(before, self.pressure, problems, self._clock.now()),
            "daemonEndpoints": {"kubeletEndpoint": {"Port": identity.kubelet_port}},
            "nodeInfo": node_status.node_info(machine, self._version),
        }
        for report in self._reports:
            await report.amend(status, ReportFacts(identity, machine, self._cri))
        return status

    def _tell(self, present: Mapping[str, Any], status: JsonObject) -> None:
        """Events: of conditions that have changed since we last spoke, and of a reboot."""
        boot = (present.get("nodeInfo") or {}).get("bootID") or self._machine.boot_id
        name = self._identity.name
        if boot != self._machine.boot_id and not self._told:
            text = f"Node {name} has been rebooted, boot id: {self._machine.boot_id}"
            self._event("Warning", "Rebooted", text)
        for condition in status["conditions"]:
            kind, now = condition["type"], condition["status"]
            if self._told.get(kind) != now:
                self._told[kind] = now
                self._event("Normal", _TOLD[kind, now], f"Node {name} status is now: {_TOLD[kind, now]}")

    def _event(self, kind: str, reason: str, message: str) -> None:
        name = self._identity.name
        self._recorder.event({"kind": "Node", "name": name, "uid": name}, kind, reason, message)


def _said(status: JsonObject) -> JsonObject:
    """What a status says, without when."""
    conditions = [
        {name: value for name, value in one.items() if name != "lastHeartbeatTime"}
        for one in status.get("conditions", ())
    ]
    return {**status, "conditions": conditions}
