"""What the node's owner lets pods do, and what he adds to what they say of their security."""

from dataclasses import dataclass

IDS_UNIT = 65536
"""Users' numbers come in blocks of so many: as many as a container image may know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityPolicy:
    """Upstream: KubeletConfiguration's allowedUnsafeSysctls, seccompDefault and userNamespaces."""

    allowed_unsafe_sysctls: tuple[str, ...] = ()
    """Sysctls that pods may set besides the safe ones; those that end in `*` stand for all that begin so."""
    seccomp_default: bool = False
    """Containers that say nothing of seccomp run under the runtime's own profile, not unconfined."""
    ids_per_pod: int = IDS_UNIT
    """How many users a pod has in a user namespace of its own: some blocks."""

    def __post_init__(self) -> None:
        if self.ids_per_pod < IDS_UNIT or self.ids_per_pod % IDS_UNIT:
            raise ValueError(f"userNamespaces.idsPerPod {self.ids_per_pod} must be a multiple of {IDS_UNIT}")


STRICT = SecurityPolicy()
"""What holds where nobody says anything: upstream's defaults."""
