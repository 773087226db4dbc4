"""The supervisor: forks a process for each role and starts it again when it ends.

It has one thread and no event loop, TLS or numpy, so that it may fork at any time; what all roles share it has
imported before, and the kernel keeps those pages once. It holds on to its processes by pidfd, also to those that an
earlier supervisor forked. A watcher, forked like a role, waits for the supervisor's own end and then becomes the
supervisor. Ending the supervisor ends nothing else: `down` does that. A process that cannot be noted, as on a full
disk, is ended again and started later: `down` would not find it.
"""

import gc
import importlib
import os
import select
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from pilothouse.api.catalogue import builtin
from pilothouse.cluster.home import Home
from pilothouse.cluster.notes import SUPERVISOR, WATCHER, Notes
from pilothouse.cluster.process import become_role, role_directory
from pilothouse.cluster.role import roles_of
from pilothouse.cluster.settings import Settings
from pilothouse.linux.privileges import name_process
from pilothouse.linux.processes import Identity
from pilothouse.runtime import log
from pilothouse.runtime.backoff import Growth
from pilothouse.runtime.clock import SystemClock

SHARED = (
    "pilothouse.client.client",
    "pilothouse.client.informer",
    "pilothouse.client.events",
    "pilothouse.client.kubeconfig",
)
"""What every role needs: imported once, before the first fork."""
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "GRPC_ENABLE_FORK_SUPPORT": "0"}
"""numpy starts no thread, and gRPC leaves children alone: what our roles fork is executed at once."""
_GROWTH = Growth(0.1, 10.0)
_STEADY = 20.0
"""Seconds after which a process counts as having come up well."""
_NOTED_AGAIN = 1.0
"""Seconds until notes that could not be written are tried again."""
_LOG = log.Log(__name__)


class Supervisor:
    """One cluster's."""

    def __init__(self, home: Home, settings: Settings) -> None:
        self._home = home
        self._settings = settings
        self._notes = Notes(home)
        self._clock = SystemClock()
        self._itself = _identity(os.getpid())
        self._roles = {role.name: role for role in roles_of(settings)}
        self._running: dict[str, Identity] = {}
        self._handles: dict[int, str] = {}
        self._poll = select.poll()
        self._started: dict[str, float] = {}
        self._failures: dict[str, int] = {}
        self._due: dict[str, float] = {}
        self._noted = True

    def run(self) -> None:
        """Supervise until told to end by a signal, or by `down`."""
        wake, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(write)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        self._poll.register(wake, select.POLLIN)
        self._adopt()
        while not self._notes.stopping:
            if not self._noted:
                self._note()
            self._start_due()
            for handle, _ in self._poll.poll(self._patience()):
                if handle == wake:
                    return
                self._ended(handle)

    def _adopt(self) -> None:
        living = self._notes.living()
        for name in (*self._roles, WATCHER):
            process = living.get(name)
            if process is not None and process != self._itself:
                self._hold(name, process)
                _LOG.info("Adopted", role=name, pid=process.pid)
            else:
                self._due[name] = 0.0
        self._note()

    def _start_due(self) -> None:
        now = self._clock.monotonic()
        for name in [name for name, moment in self._due.items() if moment <= now]:
            del self._due[name]
            self._started[name] = now
            self._hold(name, self._fork(name))
            _LOG.info("Started", role=name, pid=self._running[name].pid)
            if not self._note():
                os.kill(self._running[name].pid, signal.SIGKILL)

    def _fork(self, name: str) -> Identity:
        role = self._roles.get(name)
        if role is not None:
            role_directory(self._home, self._settings, role)
        pid = os.fork()
        if pid == 0 and role is not None:
            become_role(self._home, self._settings, role)
        if pid == 0:
            _watch(self._home, self._notes, self._itself)
        return _identity(pid)

    def _hold(self, name: str, process: Identity) -> None:
        self._running[name] = process
        handle = os.pidfd_open(process.pid)
        self._handles[handle] = name
        self._poll.register(handle, select.POLLIN)

    def _ended(self, handle: int) -> None:
        name = self._handles.pop(handle)
        self._poll.unregister(handle)
        os.close(handle)
        process = self._running.pop(name)
        now = self._clock.monotonic()
        if now - self._started.get(name, now) > _STEADY:
            self._failures.pop(name, None)
        failures = self._failures.get(name, 0)
        self._failures[name] = failures + 1
        wait = _GROWTH.wait(failures)
        self._due[name] = now + wait
        _LOG.warning("Ended", role=name, pid=process.pid, status=_status(process.pid), wait=wait)

    def _patience(self) -> float | None:
        """Milliseconds until something is to be done."""
        waits = [moment - self._clock.monotonic() for moment in self._due.values()]
        if not self._noted:
            waits.append(_NOTED_AGAIN)
        return max(0.0, min(waits)) * 1000 + 1 if waits else None

    def _note(self) -> bool:
        """Note what runs; whether that was possible. If not it is tried again."""
        try:
            self._notes.write({SUPERVISOR: self._itself, **self._running})
        except OSError as error:
            if self._noted:
                _LOG.error("The processes cannot be noted", error=error)
            self._noted = False
        else:
            self._noted = True
        return self._noted


def command(home: Home) -> list[str]:
    """How to start the supervisor of a cluster."""
    return [sys.executable, "-m", "pilothouse.cluster", str(home.path)]


def _watch(home: Home, notes: Notes, supervisor: Identity) -> NoReturn:
    """Wait for the supervisor's end, then be it."""
    try:
        os.setsid()
        name_process("ph-watcher")
        handle = os.pidfd_open(supervisor.pid)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if supervisor.alive():
            select.select([handle], [], [])
        if not notes.stopping:
            _LOG.warning("The supervisor ended: taking its place", pid=supervisor.pid)
            os.closerange(3, os.sysconf("SC_OPEN_MAX"))
            os.execv(sys.executable, command(home))  # noqa: S606 - no shell is wanted
    finally:
        os._exit(0)


def _identity(pid: int) -> Identity:
    return Identity.of(pid) or Identity(pid, 0)


def _status(pid: int) -> str:
    """How our child ended; somebody else's child ends unseen."""
    try:
        _, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return ""
    return f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit {os.waitstatus_to_exitcode(status)}"


def main(arguments: Sequence[str]) -> None:
    """Supervise the cluster whose home is named."""
    log.configure()
    name_process("ph-supervisor")
    os.environ |= _ENVIRONMENT  # noqa: TID251 - for libraries of our children, which read nothing else
    home = Home(Path(arguments[0]))
    settings = Settings.load(home)
    for module in SHARED:
        importlib.import_module(module)
    builtin()  # imports the kinds, which every client knows
    gc.collect()
    gc.freeze()
    try:
        Supervisor(home, settings).run()
    except FileNotFoundError as error:
        if home.path.exists():
            raise
        _LOG.error("The cluster's home is gone", error=error)
