"""Node: a kubelet may do what the pods bound to its node need, and no more.

Objects that pods name are allowed by `references`; what belongs to a node is allowed by its name; the rest by the rules
of the role system:node, which need no binding. What depends on an object's content (whose Node is created, whose pod is
deleted) is left to the admission plugin NodeRestriction. Source: "Using Node Authorization" of the reference;
plugin/pkg/auth/authorizer/node/node_authorizer.go.
"""

from collections.abc import Iterable

from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.authorization.framework import Attributes, Decision, Verdict
from pilothouse.apiserver.authorization.rbac import allows
from pilothouse.apiserver.authorization.references import References
from pilothouse.apiserver.registry.entry import Entry
from pilothouse.apiserver.registry.watch_cache import WatchCache

LEASES = "kube-node-lease"
_ALLOW = Decision(Verdict.ALLOW)
_PASS = Decision(Verdict.NO_OPINION)
_OWN_VERBS = frozenset({"get", "create", "update", "patch", "delete"})
_READS = frozenset({"get", "list", "watch"})
_SLICE_VERBS = "get, watch, list, create, update, patch, delete, deletecollection"


class NodeAuthorizer:
    """Decides for users system:node:NAME of the group system:nodes. `rules` hold for every node alike."""

    def __init__(self, cache: WatchCache, rules: Iterable[JsonObject]) -> None:
        self._references = References(cache)
        self._pods = cache.of("", "pods")
        self._attachments = cache.of("storage.k8s.io", "volumeattachments")
        self._slices = cache.of("resource.k8s.io", "resourceslices")
        self._requests = cache.of("certificates.k8s.io", "podcertificaterequests")
        self._rules = tuple(rules)

    def authorize(self, asked: Attributes) -> Decision:
        """Allow what the node needs; no opinion of anybody else."""
        node = asked.user.node_name
        if node is None:
            return _PASS
        if not node:
            return _no(f'unknown node for user "{asked.user.name}"')
        if not asked.is_resource:
            return self._by_rules(asked)
        return self._by_resource(asked, node)

    def _by_resource(self, asked: Attributes, node: str) -> Decision:
        match (asked.group, asked.resource):
            case ("", "secrets" | "configmaps"):
                return self._read(asked, node)
            case ("", "persistentvolumeclaims") if asked.subresource == "status":
                return self._status(asked, node)
            case ("", "persistentvolumeclaims" | "persistentvolumes") | ("resource.k8s.io", "resourceclaims"):
                return self._get(asked, node)
            case ("storage.k8s.io", "volumeattachments"):
                return self._get(asked, node)
            case ("", "serviceaccounts") if asked.verb == "get" and not asked.subresource:
                return self._read(asked, node)
            case ("", "serviceaccounts"):
                return self._token(asked, node)
            case ("coordination.k8s.io", "leases"):
                return _lease(asked, node)
            case ("storage.k8s.io", "csinodes"):
                return _csi_node(asked, node)
            case ("resource.k8s.io", "resourceslices"):
                return self._slice(asked, node)
            case ("certificates.k8s.io", "podcertificaterequests"):
                return self._certificate_request(asked, node)
            case ("", "nodes"):
                return _node(asked, node)
            case ("", "pods"):
                return self._pod(asked, node)
        return self._by_rules(asked)

    def _by_rules(self, asked: Attributes) -> Decision:
        return _ALLOW if any(allows(rule, asked) for rule in self._rules) else _PASS

    def _related(self, asked: Attributes, node: str) -> Decision:
        """By the relation of the named object to the node."""
        if not asked.name:
            return _no("No Object name found")
        if self._leads(asked, node):
            return _ALLOW
        return _no(f"no relationship found between node '{node}' and this object")

    def _leads(self, asked: Attributes, node: str) -> bool:
        match asked.resource:
            case "pods":
                return _bound(self._pods.get(asked.namespace, asked.name), node)
            case "resourceslices":
                return _bound(self._slices.get("", asked.name), node)
            case "podcertificaterequests":
                return _bound(self._requests.get(asked.namespace, asked.name), node)
            case "volumeattachments":
                entry = self._attachments.get("", asked.name)
                return entry is not None and entry.variant("node", _attached_to) == node.encode()
        return self._references.leads((asked.resource, asked.namespace, asked.name), node)

    def _read(self, asked: Attributes, node: str) -> Decision:
        if asked.verb not in _READS:
            return _no("can only read resources of this type")
        if asked.subresource:
            return _no("cannot read subresource")
        if not asked.namespace:
            return _no("can only read namespaced object of this type")
        return self._related(asked, node)

    def _get(self, asked: Attributes, node: str) -> Decision:
        if asked.verb != "get":
            return _no("can only get individual resources of this type")
        if asked.subresource:
            return _no("cannot get subresource")
        return self._related(asked, node)

    def _status(self, asked: Attributes, node: str) -> Decision:
        if asked.verb not in ("update", "patch"):
            return _no("can only get/update/patch this type")
        return self._related(asked, node)

    def _token(self, asked: Attributes, node: str) -> Decision:
        if asked.verb != "create" or not asked.name:
            return _no("can only create tokens for individual service accounts")
        if asked.subresource != "token":
            return _no("can only create token subresource of serviceaccount")
        return self._related(asked, node)

    def _slice(self, asked: Attributes, node: str) -> Decision:
        if asked.subresource:
            return _no("cannot authorize ResourceSlice subresources")
        match asked.verb:
            case "create":
                return _ALLOW
            case "get" | "update" | "patch" | "delete":
                return self._related(asked, node)
            case "watch" | "list" | "deletecollection":
                if _selects(asked, node):
                    return _ALLOW
                return _no("can only list/watch/deletecollection resourceslices with nodeName field selector")
        return _no(f"only the following verbs are allowed for a ResourceSlice: {_SLICE_VERBS}")

    def _certificate_request(self, asked: Attributes, node: str) -> Decision:
        if asked.subresource:
            return _PASS
        match asked.verb:
            case "create":
                return _ALLOW
            case "get":
                return self._related(asked, node)
            case "list" | "watch":
                if _selects(asked, node):
                    return _ALLOW
                return _no("can only list/watch podcertificaterequests with spec.nodeName field selector")
        return _PASS

    def _pod(self, asked: Attributes, node: str) -> Decision:
        match (asked.subresource, asked.verb):
            case ("", "get"):
                return self._get(asked, node)
            case ("", "list" | "watch"):
                if _selects(asked, node):
                    return _ALLOW
                if asked.name:
                    return self._related(asked, node)
                return _no("can only list/watch pods with spec.nodeName field selector")
            case ("", "create" | "delete") | ("status", "update" | "patch") | ("eviction", "create"):
                return _ALLOW
        return _PASS


def _node(asked: Attributes, node: str) -> Decision:
    match (asked.subresource, asked.verb):
        case ("", "create" | "update" | "patch") | ("status", "update" | "patch"):
            return _ALLOW
        case ("", "get" | "list" | "watch"):
            if asked.name == node:
                return _ALLOW
            if not asked.name:
                return _no(f"node '{node}' cannot read all nodes, only its own Node object")
            return _no(f"node '{node}' cannot read '{asked.name}', only its own Node object")
    return _PASS


def _lease(asked: Attributes, node: str) -> Decision:
    if asked.verb not in _OWN_VERBS:
        return _no("can only get, create, update, patch, or delete a node lease")
    if asked.namespace != LEASES:
        return _no(f'can only access leases in the "{LEASES}" system namespace')
    if asked.verb != "create" and asked.name != node:
        return _no("can only access node lease with the same name as the requesting node")
    return _ALLOW


def _csi_node(asked: Attributes, node: str) -> Decision:
    if asked.verb not in _OWN_VERBS:
        return _no("can only get, create, update, patch, or delete a CSINode")
    if asked.subresource:
        return _no("cannot authorize CSINode subresources")
    if asked.verb != "create" and asked.name != node:
        return _no("can only access CSINode with the same name as the requesting node")
    return _ALLOW


def _selects(asked: Attributes, node: str) -> bool:
    return ("spec.nodeName", "=", node) in asked.fields


def _bound(entry: Entry | None, node: str) -> bool:
    return entry is not None and entry.fields["spec.nodeName"] == node


def _attached_to(entry: Entry) -> bytes:
    return str((entry.decode().get("spec") or {}).get("nodeName") or "").encode()


def _no(why: str) -> Decision:
    return Decision(Verdict.NO_OPINION, why)
