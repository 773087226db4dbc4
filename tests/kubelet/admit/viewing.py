"""A node as handlers see it, and pods for it."""

from typing import Any

from kubelet.harness import pod as manifest
from pilothouse.api.types.core_v1 import Pod, Taint
from pilothouse.kubelet.admit_handler import NodeView
from pilothouse.kubelet.sysctls import AllowedSysctls

ALLOCATABLE = {"cpu": "2", "memory": "4Gi", "ephemeral-storage": "10Gi", "pods": "3", "example.com/gpu": "1"}


def make(name: str = "web", *, status: dict[str, Any] | None = None, **spec: Any) -> Pod:
    """A pod."""
    raw = manifest(name, **spec)
    return Pod({**raw, "status": {**raw["status"], **(status or {})}})


def asking(name: str = "web", *, limits: dict[str, str] | None = None, **requests: str) -> Pod:
    """A pod of one container; `_` in a resource's name stands for `-`, `__` for what keyword arguments cannot spell."""
    named = {key.replace("__", "example.com/").replace("_", "-"): amount for key, amount in requests.items()}
    resources = {"requests": named, "limits": limits or {}}
    return make(name, containers=[{"name": "app", "image": "app:1", "resources": resources}])


def view(**changed: Any) -> NodeView:
    """The node `n1`, with what is to be different."""
    taints = [Taint(one) for one in changed.pop("taints", ())]
    settled: dict[str, Any] = {
        "name": "n1", "labels": {"zone": "a", "size": "4"}, "taints": taints, "allocatable": ALLOCATABLE,
        "sysctls": AllowedSysctls.of((), "6.1.0"),
    }  # fmt: skip
    return NodeView(**{**settled, **changed})
