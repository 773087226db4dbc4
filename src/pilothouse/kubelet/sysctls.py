"""Sysctls that pods may set: those that are safe for everybody else on the node, and those that its owner allows.

Only what the kernel keeps for each network or IPC namespace can be set at all, and only by a pod that does not share
that namespace with the host. API page: "Using sysctls in a Kubernetes Cluster".
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

_SAFE = {
    "kernel.shm_rmid_forced": (),
    "net.ipv4.ip_local_port_range": (),
    "net.ipv4.tcp_syncookies": (),
    "net.ipv4.ping_group_range": (),
    "net.ipv4.ip_unprivileged_port_start": (),
    "net.ipv4.ip_local_reserved_ports": (3, 16),
    "net.ipv4.tcp_keepalive_time": (4, 5),
    "net.ipv4.tcp_fin_timeout": (4, 6),
    "net.ipv4.tcp_keepalive_intvl": (4, 5),
    "net.ipv4.tcp_keepalive_probes": (4, 5),
    "net.ipv4.tcp_rmem": (4, 15),
    "net.ipv4.tcp_wmem": (4, 15),
}
"""With the kernel that first keeps them apart by namespace."""
_NAMESPACES = {"kernel.sem": "ipc", "kernel.shm": "ipc", "kernel.msg": "ipc", "fs.mqueue.": "ipc", "net.": "net"}
"""By the beginning of the name; the first is a whole name."""
_WHOLE = "kernel.sem"
_LONGEST = 253
_FORM = r"([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*([a-z0-9][-_a-z0-9]*)?[a-z0-9*]"


def dotted(name: str) -> str:
    """A sysctl's name with dots between its parts, as runtimes want it, where a slash may be written."""
    first = next((sign for sign in name if sign in "./"), ".")
    return name if first == "." else name.translate({ord("/"): ".", ord("."): "/"})


def _namespace(name: str) -> str:
    """Which namespace a sysctl belongs to; empty for none that is known."""
    if name == _WHOLE:
        return _NAMESPACES[_WHOLE]
    begins = (start for start in _NAMESPACES if start != _WHOLE and name.startswith(start))
    return next((_NAMESPACES[start] for start in begins), "")


def _safe(kernel: str) -> list[str]:
    numbers = re.match(r"(\d+)\.(\d+)", kernel)
    running = tuple(map(int, numbers.groups())) if numbers else ()
    return [name for name, since in _SAFE.items() if running >= since]


@dataclass(frozen=True, slots=True)
class AllowedSysctls:
    """Names, and beginnings of names, with the namespace that each belongs to."""

    names: dict[str, str]
    beginnings: dict[str, str]

    @classmethod
    def of(cls, more: Sequence[str], kernel: str) -> Self:
        """The safe ones of this kernel and the given patterns. Raises ValueError for a pattern that cannot be."""
        names: dict[str, str] = {}
        beginnings: dict[str, str] = {}
        for pattern in (*_safe(kernel), *more):
            if len(pattern) > _LONGEST or not re.fullmatch(_FORM, pattern):
                raise ValueError(
                    f'sysctl "{pattern}" must have at most {_LONGEST} characters and match regex ^{_FORM}$'
                )
            name = dotted(pattern)
            start = name.removesuffix("*")
            if not (namespace := _namespace(start)):
                raise ValueError(f'the sysctl "{name}" is not known to be namespaced')
            (beginnings if start != name else names)[start] = namespace
        return cls(names, beginnings)

    def problem(self, name: str, *, host_network: bool, host_ipc: bool) -> str:
        """Why a pod that shares such namespaces of the host cannot set it; empty when it can."""
        name = dotted(name)
        found = (namespace for start, namespace in self.beginnings.items() if name.startswith(start))
        namespace = self.names.get(name) or next(found, "")
        if not namespace:
            return f'"{name}" not allowlisted'
        shared = {"net": host_network, "ipc": host_ipc}[namespace]
        return f'"{name}" not allowed with host {namespace} enabled' if shared else ""
