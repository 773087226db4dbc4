"""Up: a cluster made, or found again, and waited for until it is Ready. Every step may be repeated.

What goes wrong before the first process starts leaves a new home as it was found, or none where there was none. Later
failures end the processes again and leave the home with its logs.
"""

import asyncio
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import disk_usage

from pilothouse.api.types.core_v1 import Node
from pilothouse.client.client import Client
from pilothouse.cluster import kubeconfig
from pilothouse.cluster.access import connect
from pilothouse.cluster.addresses import choose_ranges, free_port, machine_address, nth
from pilothouse.cluster.down import stop
from pilothouse.cluster.errors import ClusterError
from pilothouse.cluster.home import Home, private_directory
from pilothouse.cluster.kubelet_options import NOTHING_SAID, KubeletWords, kubelet_options
from pilothouse.cluster.node_configuration import checked
from pilothouse.cluster.notes import SUPERVISOR, Notes
from pilothouse.cluster.pki import Pki
from pilothouse.cluster.preflight import check_machine, check_space
from pilothouse.cluster.process import is_ready
from pilothouse.cluster.role import roles_of
from pilothouse.cluster.settings import UNPRIVILEGED, Settings
from pilothouse.cluster.step import Step
from pilothouse.cluster.supervisor import command
from pilothouse.linux.mounts import Mounts
from pilothouse.linux.netlink import Netlink
from pilothouse.linux.processes import Identity, start_detached
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.tasks import Tasks

PATIENCE = 60.0
"""Seconds that a cluster gets to be Ready."""
_PAUSE = 0.03
_FLAGS = {
    "port": "--port", "node": "--no-node", "simulated_nodes": "--simulated-nodes", "node_name": "--hostname-override",
}  # fmt: skip
_CHANGEABLE = {
    "apiserver_flags": "--apiserver-flag", "node_ip": "--node-ip", "cni_conf_dir": "--cni-conf-dir",
    "registry_mirrors": "--registry-mirrors", "kubelet": "--kubelet-config, or another option of the kubelet",
}  # fmt: skip
"""What may be another each time the cluster starts."""
_CRASHES = 3
"""How often a role may end before it was ready."""
_OUR_ERROR = re.compile(r"^pilothouse(\.\w+)+: ")
"""What a trace puts before a sentence that is meant for users."""


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What the user of `up` said; None where nothing was."""

    port: int | None = None
    node: bool | None = None
    simulated_nodes: int | None = None
    node_name: str | None = None
    apiserver_flags: dict[str, str] | None = None
    """These, and those below, may be others each time the cluster starts."""
    node_ip: str | None = None
    cni_conf_dir: str | None = None
    registry_mirrors: str | None = None
    kubelet: KubeletWords = NOTHING_SAID


async def up(home: Home, wishes: Wishes, clock: Clock, step: Step) -> Settings:
    """Have the cluster Ready. Raises ClusterError."""
    home.check()
    made = [each for each in (home.path, *home.path.parents) if not each.exists()]
    with home.locked():
        new = not home.exists()
        try:
            settings = await asyncio.to_thread(_settings, home, wishes)
            with step("certificates"):
                _prepare(home, settings, clock)
        except BaseException:
            if new:
                _undo(home, made)
            raise
        notes = Notes(home)
        running = notes.living()
        if SUPERVISOR not in running:
            notes.go()
            start_detached(command(home), home.logs / "supervisor.log")
        try:
            await _until_ready(home, settings, clock, step)
        except BaseException:
            if not running:
                await stop(home, settings, clock, step)
            raise
    return settings


def _settings(home: Home, wishes: Wishes) -> Settings:
    """Those of the cluster that is here, or those of a new one."""
    root = os.geteuid() == 0
    if not home.exists():
        return _new(home, wishes, root=root)
    settings = Settings.load(home)
    if changed := [name for name in _FLAGS if getattr(wishes, name) not in (None, getattr(settings, name))]:
        named = ", ".join(_FLAGS[name] for name in changed)
        raise ClusterError(
            f"the cluster in {home.path} was made with another {named}: leave it out, or remove the cluster "
            "first with `pilothouse down --delete`"
        )
    wanted = _with_options(settings, wishes)
    if Notes(home).living():
        _see_that_nothing_changes(settings, wanted)
        return settings
    wanted = replace(wanted, advertise=wanted.node_ip or machine_address() or settings.advertise)
    return _checked(home, wanted, root=root)


def _with_options(settings: Settings, wishes: Wishes) -> Settings:
    """With what may be another each time the cluster starts."""
    said = {name: getattr(wishes, name) for name in _CHANGEABLE}
    said["kubelet"] = kubelet_options(settings.kubelet, wishes.kubelet)
    wanted = replace(settings, **{name: value for name, value in said.items() if value is not None})
    of_the_node = [name for name in _CHANGEABLE if name != "apiserver_flags" and getattr(wanted, name)]
    if not settings.node and (of_the_node or wishes.node_name):
        raise ClusterError("options of the kubelet need a node, and this cluster is without one: leave them out")
    return wanted


def _see_that_nothing_changes(settings: Settings, wanted: Settings) -> None:
    for name, option in _CHANGEABLE.items():
        if getattr(settings, name) != getattr(wanted, name):
            raise ClusterError(f"the cluster runs with another {option}: stop it first with `pilothouse down`")


def _new(home: Home, wishes: Wishes, *, root: bool) -> Settings:
    node = True if wishes.node is None else wishes.node
    settings = Settings(
        port=wishes.port or Settings.port,
        node=node,
        simulated_nodes=wishes.simulated_nodes or 0,
        node_name=(wishes.node_name or os.uname().nodename.lower()) if node else "",
        unprivileged=UNPRIVILEGED if root else -1,
    )
    settings = _with_options(settings, wishes)
    settings = replace(settings, advertise=settings.node_ip or machine_address())
    if node and root:
        settings = _with_ranges(settings)
    return _checked(home, settings, root=root)


def _checked(home: Home, settings: Settings, *, root: bool) -> Settings:
    """What the machine can do, with the runtime that the kubelet is to use."""
    if settings.node:
        settings = checked(home, settings)
    check_machine(settings, root=root)
    check_space(home.path, disk_usage(home.path).free)
    return settings


def _with_ranges(settings: Settings) -> Settings:
    with Netlink() as netlink:
        pods, services = choose_ranges(netlink.networks())
    return replace(
        settings, kubelet_port=free_port(settings.kubelet_port), cluster_cidr=pods, service_cidr=services,
        service_address=nth(services, 1), dns_address=nth(services, 10),
    )  # fmt: skip


def _prepare(home: Home, settings: Settings, clock: Clock) -> None:
    # First of all: by its settings a home is known as one, should we be killed now.
    settings.save(home)
    private_directory(home.logs)
    private_directory(home.supervisor)
    Pki(home, settings).issue(clock.now())
    kubeconfig.write(home, settings)


def _undo(home: Home, made: Iterable[Path]) -> None:
    """Empty a home that nothing has run in yet, and take away the directories that were made for it."""
    for each in home.path.iterdir():
        Mounts().remove_tree(each) if each.is_dir() else each.unlink()
    with suppress(OSError):  # somebody uses one of them meanwhile
        for directory in made:
            directory.rmdir()


async def _until_ready(home: Home, settings: Settings, clock: Clock, step: Step) -> None:
    try:
        async with clock.timeout(PATIENCE), Tasks() as tasks:
            tasks.spawn(_notice_crashes(home, settings, clock), name="crashes")
            await _each_ready(home, settings, clock, step)
            tasks.cancel_all()
    except TimeoutError:
        raise ClusterError(_why_late(home, settings)) from None
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None


async def _each_ready(home: Home, settings: Settings, clock: Clock, step: Step) -> None:
    with step("API server"):
        client = await connect(home, settings, "admin", "admin", clock, "pilothouse")
    for role in roles_of(settings)[1:]:
        with step(role.name):
            await _role_ready(home, role.name, clock)
    if wanted := _wanted_nodes(settings):
        with step("nodes Ready"):
            await _nodes_ready(client, wanted, clock)


async def _notice_crashes(home: Home, settings: Settings, clock: Clock) -> None:
    """Raise ClusterError once a role has ended several times: it would do so for ever."""
    notes, seen = Notes(home), {role.name: set[Identity]() for role in roles_of(settings)}
    while True:
        for name, process in notes.living().items():
            if name in seen and not is_ready(home, name, process):
                seen[name].add(process)
                if len(seen[name]) > _CRASHES:
                    raise ClusterError(f"{name} ends again and again{_last_words(home, name)}")
        await clock.sleep(_PAUSE)


async def _role_ready(home: Home, name: str, clock: Clock) -> None:
    notes = Notes(home)
    while not ((process := notes.living().get(name)) and is_ready(home, name, process)):
        await clock.sleep(_PAUSE)


async def _nodes_ready(client: Client, wanted: int, clock: Clock) -> None:
    while True:
        nodes = (await client.list(Node)).items
        if sum(_is_ready(node) for node in nodes) >= wanted:
            return
        await clock.sleep(_PAUSE)


def _is_ready(node: Node) -> bool:
    return any(each.type == "Ready" and each.status == "True" for each in node.status.conditions)


def _wanted_nodes(settings: Settings) -> int:
    return int(settings.node) + settings.simulated_nodes


def _why_late(home: Home, settings: Settings) -> str:
    """Which part did not come up, and the last that it said."""
    living = Notes(home).living()
    late = [
        role.name
        for role in roles_of(settings)
        if role.name not in living or not is_ready(home, role.name, living[role.name])
    ]
    if not late:
        return f"the nodes are not Ready after {PATIENCE:.0f} seconds: see {home.logs / 'node.log'}"
    return f"{', '.join(late)} not ready after {PATIENCE:.0f} seconds{_last_words(home, late[0])}"


def _last_words(home: Home, role: str) -> str:
    """The last line of a role's log that says something, and where to read on."""
    log = home.logs / f"{role}.log"
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    said = next((line.strip(" |") for line in reversed(lines) if any(sign.isalnum() for sign in line)), "")
    said = _OUR_ERROR.sub("", said)
    return f": {said}; see {log}" if said else f"; see {log}"
