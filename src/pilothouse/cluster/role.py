"""Roles: the processes of a cluster. Each is a module in `roles/` of the role's name, with `run`.

Who is root, and who may do what besides, stands here alone: the node and the proxy change the machine's kernel, the
DNS binds port 53, everybody else needs nothing.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from pilothouse.cluster.home import Home
from pilothouse.cluster.settings import Settings
from pilothouse.linux.privileges import CAP_NET_BIND_SERVICE
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock

Ready = Callable[[], None]


class RoleModule(Protocol):
    """What a module in `roles/` offers."""

    run: Callable[[Home, Settings, Clock, Chance, Ready], Awaitable[None]]
    """Do the role's work until cancelled; `ready` is called once it does it."""


@dataclass(frozen=True, slots=True)
class Role:
    """One process."""

    name: str
    wanted: Callable[[Settings], bool] = lambda _: True
    """Whether a cluster with these settings has it."""
    root: bool = False
    capabilities: tuple[int, ...] = ()
    """What it keeps when it is not root."""
    umask: int = 0o077
    """What its files grant nobody. The node's are, for the greater part, seen by containers of any user."""


ROLES = (
    Role("apiserver"),
    Role("control"),
    Role("node", lambda settings: settings.node, root=True, umask=0o022),
    Role("proxy", lambda settings: settings.node, root=True),
    Role("dns", lambda settings: settings.node, capabilities=(CAP_NET_BIND_SERVICE,)),
    Role("simulated", lambda settings: settings.simulated_nodes > 0),
)
"""In the order to start them; they are stopped in the opposite one."""


def roles_of(settings: Settings) -> list[Role]:
    """The roles of one cluster."""
    return [role for role in ROLES if role.wanted(settings)]
