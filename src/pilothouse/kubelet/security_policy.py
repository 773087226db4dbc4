"""What the node's owner lets pods do, and what he adds to what they say of their security."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityPolicy:
    """Upstream: KubeletConfiguration's allowedUnsafeSysctls, seccompDefault and userNamespaces."""

    allowed_unsafe_sysctls: tuple[str, ...] = ()
    """Sysctls that pods may set besides the safe ones; those that end in `*` stand for all that begin so."""
    seccomp_default: bool = False
    """Containers that say nothing of seccomp run under the runtime's own profile, not unconfined."""
    ids_per_pod: int = 65536
    """How many users a pod has in a user namespace of its own: a multiple of the default."""


STRICT = SecurityPolicy()
"""What holds where nobody says anything: upstream's defaults."""
