"""What a container was really given, where its runtime tells. Fields are named as in CRI's messages."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class LinuxResources:
    """Limits; 0 and empty: not told."""

    cpu_period: int = 0
    cpu_quota: int = 0
    cpu_shares: int = 0
    memory_limit_in_bytes: int = 0
    memory_swap_limit_in_bytes: int = 0
    oom_score_adj: int = 0
    cpuset_cpus: str = ""
    cpuset_mems: str = ""
    hugepages: Mapping[str, int] = field(default_factory=dict)
    """Bytes by page size, such as `2MB`."""
    unified: Mapping[str, str] = field(default_factory=dict)
    """Files of cgroup v2."""


@dataclass(frozen=True, slots=True)
class Mounted:
    """One place in the container."""

    container_path: str
    host_path: str = ""
    readonly: bool = False
    recursive_read_only: bool = False
    image: str = ""
    """The image that lies there, and what it resolved to."""
    image_ref: str = ""
