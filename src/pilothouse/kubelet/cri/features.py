"""What a runtime and its handlers can do, as they say themselves: what they do not name they would silently ignore."""

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Handler:
    """What a RuntimeClass may name. The default handler has the empty name."""

    name: str
    recursive_read_only: bool = False
    user_namespaces: bool = False
    """With mounts whose owners are mapped."""


@dataclass(frozen=True, slots=True)
class Features:
    """Of the runtime, whichever handler runs a pod."""

    supplemental_groups_policy: bool = False
    """Whether it can leave out the groups that an image gives its user, and tells as whom containers run."""
    user_namespaces_host_network: bool = False


class CgroupDriver(Enum):
    """Who makes the runtime's control groups."""

    SYSTEMD = 0
    CGROUPFS = 1
