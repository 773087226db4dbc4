"""A role's process: what a fork of the supervisor does to become one, and how others learn that it is ready."""

import asyncio
import gc
import importlib
import os
import signal
import sys
from pathlib import Path
from typing import NoReturn, cast

import uvloop

from pilothouse.cluster.home import Home, private_directory, write_private
from pilothouse.cluster.role import Ready, Role, RoleModule
from pilothouse.cluster.settings import Settings
from pilothouse.linux.privileges import CAP_DAC_READ_SEARCH, become, name_process
from pilothouse.linux.processes import Identity
from pilothouse.runtime import log
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import SystemClock
from pilothouse.runtime.signals import stop_event
from pilothouse.runtime.tasks import Tasks

_LOG = log.Log(__name__)
_GARBAGE_THRESHOLDS = (5_000, 5, 20)
"""Young objects before a collection, collections before one of those that survived, and so on. What is looked at is in
all the same however often: each survivor once an age. But every collection is a pause, and with ten times as many young
objects requests waited for 120 to 240 ms every ten seconds."""
_SOFTWARE_ERROR = 70


def role_directory(home: Home, settings: Settings, role: Role) -> Path:
    """The directory of a role, made for the user it runs as."""
    return private_directory(home.role(role.name), -1 if role.root else settings.unprivileged)


def is_ready(home: Home, role: str, process: Identity) -> bool:
    """Whether this very process has said that it is ready."""
    return Identity.load(home.role(role) / "ready") == process


def reachable(path: Path) -> bool:
    """Whether any user may enter every directory above `path`, and itself."""
    return all(each.stat().st_mode & 0o001 for each in (path, *path.parents) if each.is_dir())


def become_role(home: Home, settings: Settings, role: Role) -> NoReturn:
    """Turn this process, freshly forked, into the role. Never returns."""
    status = _SOFTWARE_ERROR
    try:
        _detach(home, role)
        log.configure()
        module = cast("RoleModule", importlib.import_module(f"pilothouse.cluster.roles.{role.name}"))
        _give_up_root(home, settings, role)
        gc.freeze()
        gc.set_threshold(*_GARBAGE_THRESHOLDS)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(module, home, settings, role))
        status = 0
    except BaseException as error:  # noqa: BLE001 - the end of a process: whatever it was goes into its log
        _LOG.crash("The process failed", error=error, role=role.name)
    finally:
        sys.stderr.flush()
        os._exit(status)


def _detach(home: Home, role: Role) -> None:
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    os.umask(role.umask)
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(home.logs / f"{role.name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    name_process(f"ph-{role.name}")


def _give_up_root(home: Home, settings: Settings, role: Role) -> None:
    if role.root or settings.unprivileged < 0:
        return
    keep = role.capabilities
    hidden = [
        path for path in (Path(sys.prefix), Path(sys.base_prefix), Path(__file__), home.path) if not reachable(path)
    ]
    if hidden:
        # Modules and certificates are read from there as long as the process lives.
        _LOG.warning("Keeping the right to read files: others may not enter where we lie", paths=hidden)
        keep = (*keep, CAP_DAC_READ_SEARCH)
    become(settings.unprivileged, keep)


async def _serve(module: RoleModule, home: Home, settings: Settings, role: Role) -> None:
    def ready() -> None:
        identity = Identity.of(os.getpid())
        if identity is not None:
            write_private(home.role(role.name) / "ready", identity.encode())
        _LOG.info("Ready", role=role.name)

    with stop_event() as stop:
        async with Tasks() as tasks:
            work = tasks.spawn(_run(module, home, settings, ready), name=role.name)
            waiting = tasks.spawn(stop.wait(), name="stop")
            await asyncio.wait((work, waiting), return_when=asyncio.FIRST_COMPLETED)
            tasks.cancel_all()


async def _run(module: RoleModule, home: Home, settings: Settings, ready: Ready) -> None:
    await module.run(home, settings, SystemClock(), Chance(), ready)
