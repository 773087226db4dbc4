"""Status: what a cluster consists of at this moment, as data; the command line shows it."""

import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.errors import StatusError
from pilothouse.api.types.core_v1 import Node
from pilothouse.client.client import Client
from pilothouse.client.memo import Memo
from pilothouse.cluster.access import serves
from pilothouse.cluster.home import Home
from pilothouse.cluster.notes import SUPERVISOR, WATCHER, Notes
from pilothouse.cluster.pki import Pki
from pilothouse.cluster.process import is_ready
from pilothouse.cluster.role import roles_of
from pilothouse.cluster.settings import Settings
from pilothouse.linux.processes import Identity
from pilothouse.runtime.clock import Clock, Instant


@dataclass(frozen=True, slots=True)
class Process:
    """One process of the cluster."""

    role: str
    pid: int
    """0: it does not run."""
    uid: int
    """Whom it runs as; -1 when it does not run."""
    ready: bool
    memory: int
    """Bytes, its share of what it shares with others (PSS)."""


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """One node."""

    name: str
    ready: bool
    reason: str


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """The whole."""

    home: str
    cluster: str
    server: str
    kubeconfig: str
    running: bool
    processes: list[Process] = field(default_factory=list)
    nodes: list[NodeStatus] = field(default_factory=list)
    certificates: dict[str, Instant] = field(default_factory=dict)
    """When each ends."""
    places: dict[str, str] = field(default_factory=dict)
    """Where things lie."""

    def document(self) -> dict[str, Any]:
        """As plain data, for JSON."""
        return asdict(self)


async def status(home: Home, clock: Clock) -> ClusterStatus:
    """Look at the cluster in `home`. Raises ClusterError when there is none."""
    settings = Settings.load(home)
    living = Notes(home).living()
    names = [SUPERVISOR, WATCHER, *(role.name for role in roles_of(settings))]
    processes = [_process(home, name, living.get(name)) for name in names]
    pki = Pki(home, settings)
    places = {"state": home.role("apiserver"), "logs": home.logs, "authority": home.authority}
    if settings.node:
        places["node"] = home.node
    # Before anything ran, there need be no certificates.
    nodes = await _nodes(pki, clock) if living else []
    return ClusterStatus(
        home=str(home.path), cluster=home.cluster, server=pki.server, kubeconfig=str(home.admin),
        running=SUPERVISOR in living, processes=processes, nodes=nodes,
        certificates=pki.expiries(), places={name: str(path) for name, path in places.items()},
    )  # fmt: skip


def _process(home: Home, role: str, process: Identity | None) -> Process:
    if process is None:
        return Process(role, 0, -1, ready=False, memory=0)
    ready = role in (SUPERVISOR, WATCHER) or is_ready(home, role, process)
    return Process(role, process.pid, _uid(process.pid), ready, _memory(process.pid))


def _uid(pid: int) -> int:
    found = re.search(r"^Uid:\s+\d+\s+(\d+)", _read(Path(f"/proc/{pid}/status")), re.MULTILINE)
    return int(found[1]) if found else -1


def _memory(pid: int) -> int:
    found = re.search(r"^Pss:\s+(\d+) kB", _read(Path(f"/proc/{pid}/smaps_rollup")), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""  # it ended meanwhile, or is somebody else's


async def _nodes(pki: Pki, clock: Clock) -> list[NodeStatus]:
    transport = pki.access("admin", "admin").transport(clock, timeout=5)
    try:
        if not await serves(transport):
            return []
        client = Client(transport, builtin(), clock, agent="pilothouse", memo=Memo())
        nodes = (await client.list(Node)).items
    except StatusError:
        return []
    finally:
        await transport.close()
    return [_node(node) for node in sorted(nodes, key=lambda node: node.metadata.name)]


def _node(node: Node) -> NodeStatus:
    for each in node.status.conditions:
        if each.type == "Ready":
            return NodeStatus(node.metadata.name, each.status == "True", each.reason)
    return NodeStatus(node.metadata.name, ready=False, reason="")
