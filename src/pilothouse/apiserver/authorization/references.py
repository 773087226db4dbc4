"""References: which objects the pods of a node name, kept current change by change.

What a node may read follows from the pods bound to it. Only names are kept, each once however many pods share it, with
the number of pods per node that use it; a question is two look-ups. Mirror pods count for nothing, or a node could
name what it wants to read. Source: plugin/pkg/auth/authorizer/node/graph.go,
pkg/api/v1/persistentvolume/util.go.
"""

from collections.abc import Iterator

from pilothouse.api.core.pod.references import (
    SECRET_SOURCES,
    config_map_names,
    resource_claim_names,
    secret_names,
    volume_claim,
)
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.registry.entry import Entry
from pilothouse.apiserver.registry.watch_cache import WatchCache

Name = tuple[str, str, str]
"""Plural, namespace and name."""
MIRROR = "kubernetes.io/config.mirror"
_CSI_SECRETS = ("nodePublishSecretRef", "nodeStageSecretRef", "nodeExpandSecretRef")
"""Those of a persistent volume that kubelets hand to the driver; controllers hand it the others."""


class _Target:
    """An object that pods name, and how many do so on each node."""

    __slots__ = ("name", "nodes")

    def __init__(self, name: Name) -> None:
        self.name = name
        self.nodes: dict[str, int] = {}


class References:
    """Follows pods and persistent volumes."""

    def __init__(self, cache: WatchCache) -> None:
        self._targets: dict[Name, _Target] = {}
        self._pods: dict[str, tuple[str, tuple[_Target, ...]]] = {}
        self._claims: dict[str, tuple[Name, tuple[Name, ...]]] = {}
        self._volumes: dict[Name, dict[str, None]] = {}
        cache.of("", "pods").follow(self._pod)
        cache.of("", "persistentvolumes").follow(self._volume)

    def leads(self, name: Name, node: str) -> bool:
        """Whether a pod on the node needs the object: it names it, or its claim is bound to a volume that does."""
        if name[0] == "persistentvolumes":
            bound = self._claims.get(name[2])
            return bound is not None and self._named(bound[0], node)
        if self._named(name, node):
            return True
        return any(self._named(self._claims[volume][0], node) for volume in self._volumes.get(name, ()))

    @property
    def sizes(self) -> tuple[int, int]:
        """How many objects are known by name, and how many pods name them."""
        return len(self._targets), len(self._pods)

    def _named(self, name: Name, node: str) -> bool:
        target = self._targets.get(name)
        return target is not None and node in target.nodes

    def _pod(self, entry: Entry, pod: JsonObject | None) -> None:
        known = self._pods.get(entry.key)
        if pod is None:
            self._forget_pod(entry.key)
            return
        node = entry.fields["spec.nodeName"]
        if known is not None and known[0] == node and not _claims_change(pod):
            return
        self._forget_pod(entry.key)
        if not node or MIRROR in (pod["metadata"].get("annotations") or {}):
            return
        targets = tuple(self._target(name) for name in dict.fromkeys(pod_names(pod)))
        for target in targets:
            target.nodes[node] = target.nodes.get(node, 0) + 1
        self._pods[entry.key] = (node, targets)

    def _forget_pod(self, key: str) -> None:
        node, targets = self._pods.pop(key, ("", ()))
        for target in targets:
            target.nodes[node] -= 1
            if not target.nodes[node]:
                del target.nodes[node]
                if not target.nodes:
                    del self._targets[target.name]

    def _target(self, name: Name) -> _Target:
        target = self._targets.get(name)
        if target is None:
            target = self._targets[name] = _Target(name)
        return target

    def _volume(self, entry: Entry, volume: JsonObject | None) -> None:
        _, secrets = self._claims.pop(entry.name, (None, ()))
        for secret in secrets:
            del self._volumes[secret][entry.name]
            if not self._volumes[secret]:
                del self._volumes[secret]
        claim = (volume or {}).get("spec", {}).get("claimRef")
        if volume is None or not claim:
            return
        namespace = claim.get("namespace") or ""
        secrets = tuple(dict.fromkeys(_volume_secrets(volume["spec"], namespace)))
        self._claims[entry.name] = (("persistentvolumeclaims", namespace, claim.get("name") or ""), secrets)
        for secret in secrets:
            self._volumes.setdefault(secret, {})[entry.name] = None


def pod_names(pod: JsonObject) -> Iterator[Name]:
    """What a pod names: account, secrets, config maps, claims of volumes and devices."""
    namespace, spec = pod["metadata"].get("namespace") or "", pod.get("spec") or {}
    if account := spec.get("serviceAccountName"):
        yield "serviceaccounts", namespace, account
    for secret in secret_names(spec):
        yield "secrets", namespace, secret
    for name in config_map_names(spec):
        yield "configmaps", namespace, name
    for volume in spec.get("volumes") or ():
        if claim := volume_claim(pod, volume):
            yield "persistentvolumeclaims", namespace, claim
    for claim in resource_claim_names(pod):
        yield "resourceclaims", namespace, claim


def _claims_change(pod: JsonObject) -> bool:
    """Whether an update may name another claim: all else that a bound pod names stays as it is."""
    return bool(pod["spec"].get("resourceClaims") or (pod.get("status") or {}).get("extendedResourceClaimStatus"))


def _volume_secrets(spec: JsonObject, claimed_in: str) -> Iterator[Name]:
    """The secrets of a persistent volume that a kubelet needs."""
    found = [_reference(spec.get(source), "secretRef") for source in SECRET_SOURCES]
    found += [_reference(spec.get("csi"), field) for field in _CSI_SECRETS]
    if azure := spec.get("azureFile"):
        found.append((azure.get("secretNamespace") or "", azure.get("secretName") or ""))
    for namespace, name in found:
        if name:
            yield "secrets", namespace or claimed_in, name


def _reference(source: JsonObject | None, field: str) -> tuple[str, str]:
    found = (source or {}).get(field) or {}
    return found.get("namespace") or "", found.get("name") or ""
