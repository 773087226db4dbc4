"""Which permission a request to the kubelet needs: on `nodes`, this node, one of a few subresources. Pure.

Where two subresources are named, either is enough: the fine one of KEP-2862, or `proxy` as before. Source:
pkg/kubelet/server/auth.go; "Kubelet authentication/authorization" of the reference.
"""

from collections.abc import Sequence
from dataclasses import dataclass

_VERBS = {"POST": "create", "GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_SUBRESOURCES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("/pods", ("pods", "proxy")),
    ("/runningpods", ("pods", "proxy")),
    ("/healthz", ("healthz", "proxy")),
    ("/configz", ("configz", "proxy")),
    ("/flagz", ("configz",)),
    ("/statusz", ("statusz",)),
    ("/stats", ("stats",)),
    ("/metrics", ("metrics",)),
    ("/logs", ("log",)),
    ("/checkpoint", ("checkpoint",)),
)
"""By path, which stands for all below it; what is not listed needs `proxy`."""


@dataclass(frozen=True, slots=True)
class Attributes:
    """What is asked for. Any one of the subresources allows it."""

    verb: str
    """Empty for methods that no verb stands for."""
    subresources: Sequence[str]
    resource: str = "nodes"


def attributes_of(method: str, path: str) -> Attributes:
    """The permission for a method and an unquoted path without query."""
    found = next((needed for root, needed in _SUBRESOURCES if path == root or path.startswith(f"{root}/")), ("proxy",))
    return Attributes(_VERBS.get(method, ""), found)
