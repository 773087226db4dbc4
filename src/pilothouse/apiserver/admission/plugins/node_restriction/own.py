"""What bears the node's name: its Node, without the labels and taints that steer work; its lease, CSINode, slices."""

from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.admission.plugins.node_restriction.pods import same
from pilothouse.apiserver.pipeline.write import Operation, Write

LEASES = "kube-node-lease"
_RESTRICTED = "node-restriction.kubernetes.io"
_KUBELET_LABELS = frozenset(
    {
        "kubernetes.io/hostname", "kubernetes.io/os", "kubernetes.io/arch",
        "topology.kubernetes.io/zone", "topology.kubernetes.io/region", "node.kubernetes.io/instance-type",
        "failure-domain.beta.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/region",
        "beta.kubernetes.io/instance-type", "beta.kubernetes.io/os", "beta.kubernetes.io/arch",
    }
)  # fmt: skip
_KUBELET_DOMAINS = ("kubelet.kubernetes.io", "node.kubernetes.io")
_KUBERNETES_DOMAINS = ("kubernetes.io", "k8s.io")


def refuse_node(node: str, write: Write) -> str:
    """Why the node may not write this Node."""
    if write.name != node:
        return f'node "{node}" is not allowed to modify node "{write.name}"'
    if write.new is None:
        return ""
    spec = write.new.get("spec") or {}
    if write.operation is Operation.CREATE:
        if spec.get("configSource") is not None:
            return f'node "{node}" is not allowed to create pods with a non-nil configSource'
        wrong = forbidden_labels(write.new, {})
        if wrong:
            return f'node "{node}" is not allowed to set the following labels: {", ".join(wrong)}'
        return ""
    return _refuse_change(node, write.new, write.old or {})


def _refuse_change(node: str, new: JsonObject, old: JsonObject) -> str:
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    if spec.get("configSource") is not None and not same(spec["configSource"], before.get("configSource")):
        return f'node "{node}" is not allowed to update configSource to a new non-nil configSource'
    if not same(spec.get("taints"), before.get("taints")):
        return f'node "{node}" is not allowed to modify taints'
    if not same(new["metadata"].get("ownerReferences"), old["metadata"].get("ownerReferences")):
        return f'node "{node}" is not allowed to modify ownerReferences'
    wrong = forbidden_labels(new, old)
    return f"is not allowed to modify labels: {', '.join(wrong)}" if wrong else ""


def forbidden_labels(new: JsonObject, old: JsonObject) -> list[str]:
    """The labels that differ and are not a kubelet's to set."""
    after = (new.get("metadata") or {}).get("labels") or {}
    before = (old.get("metadata") or {}).get("labels") or {}
    return sorted(key for key in {**before, **after} if before.get(key) != after.get(key) and not _free(key))


def _free(key: str) -> bool:
    domain = key.partition("/")[0] if "/" in key else ""
    if _within(domain, (_RESTRICTED,)):
        return False
    return not _within(domain, _KUBERNETES_DOMAINS) or key in _KUBELET_LABELS or _within(domain, _KUBELET_DOMAINS)


def _within(domain: str, roots: tuple[str, ...]) -> bool:
    return any(domain == root or domain.endswith(f".{root}") for root in roots)


def refuse_lease(node: str, write: Write) -> str:
    """Why the node may not write this lease."""
    if write.namespace != LEASES:
        return f'can only access leases in the "{LEASES}" system namespace'
    return "" if write.name == node else "can only access node lease with the same name as the requesting node"


def refuse_csi_node(node: str, write: Write) -> str:
    """Why the node may not write this CSINode."""
    return "" if write.name == node else "can only access CSINode with the same name as the requesting node"


def refuse_slice(node: str, write: Write) -> str:
    """Why the node may not make or delete this slice; its node cannot be changed."""
    for operation, obj, verb in ((Operation.CREATE, write.new, "create"), (Operation.DELETE, write.old, "delete")):
        if write.operation is operation and ((obj or {}).get("spec") or {}).get("nodeName") != node:
            return f"can only {verb} ResourceSlice with the same NodeName as the requesting node"
    return ""
