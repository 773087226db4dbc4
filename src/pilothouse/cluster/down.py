"""Down: every process of a cluster ended and every trace outside its home removed, in whatever state it was.

The order is that of dependence: first those who would start things again, then the components, then pods through the
runtime, then the runtime, then what the kernel still holds. Each step may find its work done already.
"""

import asyncio

from pilothouse.cluster.home import Home
from pilothouse.cluster.node_removal import remove_node
from pilothouse.cluster.notes import SUPERVISOR, WATCHER, Notes
from pilothouse.cluster.role import ROLES
from pilothouse.cluster.settings import Settings
from pilothouse.cluster.step import Step
from pilothouse.linux import processes
from pilothouse.linux.mounts import Mounts
from pilothouse.runtime.clock import Clock

_GRACE = 10.0
"""Seconds that a process gets to end in order."""


async def down(home: Home, clock: Clock, step: Step, *, delete: bool) -> None:
    """Stop the cluster; with `delete` its home goes too. Raises ClusterError."""
    settings = Settings.load(home)
    with home.locked():
        await stop(home, settings, clock, step)
        if delete:
            with step("state"):
                _delete(home)


async def stop(home: Home, settings: Settings, clock: Clock, step: Step) -> None:
    """End every process and remove every trace; for who holds the lock."""
    with step("processes"):
        await _end_processes(home, clock)
    if settings.node:
        await remove_node(home, settings, clock, step)


async def _end_processes(home: Home, clock: Clock) -> None:
    notes = Notes(home)
    notes.stop()
    for names in ((WATCHER, SUPERVISOR), tuple(role.name for role in reversed(ROLES))):
        # Read anew: the supervisor may have started one just before it ended.
        living = notes.living()
        ending = [processes.stop(living[name], clock, grace=_GRACE) for name in names if name in living]
        await asyncio.gather(*ending)


def _delete(home: Home) -> None:
    for each in home.path.iterdir():
        Mounts().remove_tree(each) if each.is_dir() else each.unlink()
    home.path.rmdir()
