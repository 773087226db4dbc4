"""Certificates for a node, made for one test."""

from pilothouse.net.pki import Authority, KeyPair, Usage
from pilothouse.testing.loop import EPOCH

DAY = 86_400.0
AUTHORITY = Authority.create("test", EPOCH)
USER = "system:node:n1"


def pair(*, life: float = 100 * DAY, now: float = EPOCH, names: tuple[str, ...] = (), user: str = USER) -> KeyPair:
    """A node's."""
    return AUTHORITY.issue(user, ("system:nodes",), names, usage=Usage.CLIENT, now=now, lifetime=life)
