"""Manifests of the default roles and bindings, made of the tables, and what an existing one lacks. Pure."""

from collections.abc import Iterator, Sequence

from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.bootstrap.bindings import CLUSTER_ROLE_BINDINGS, KUBELET_CLIENT, ROLE_BINDINGS, ROLES
from pilothouse.apiserver.bootstrap.cluster_roles import AGGREGATED, CLUSTER_ROLES, PART_OF
from pilothouse.apiserver.bootstrap.controller_roles import CONTROLLER_ROLES
from pilothouse.apiserver.bootstrap.notation import rules

GROUP = "rbac.authorization.k8s.io"
AUTOUPDATE = "rbac.authorization.kubernetes.io/autoupdate"


def cluster_roles() -> Iterator[JsonObject]:
    """Every default ClusterRole."""
    for name, lines in CLUSTER_ROLES.items():
        yield {"metadata": _metadata(name, part_of=PART_OF.get(name, "")), "rules": rules(*lines)}
    for name, part_of in AGGREGATED.items():
        selector = {"matchLabels": {f"{GROUP}/aggregate-to-{name}": "true"}}
        aggregation = {"clusterRoleSelectors": [selector]}
        yield {"metadata": _metadata(name, part_of=part_of), "aggregationRule": aggregation, "rules": []}
    for name, lines in CONTROLLER_ROLES.items():
        yield {"metadata": _metadata(f"system:controller:{name}"), "rules": rules(*lines)}


def cluster_role_bindings() -> Iterator[JsonObject]:
    """Every default ClusterRoleBinding."""
    for name, subjects in CLUSTER_ROLE_BINDINGS.items():
        yield _binding(_metadata(name), "ClusterRole", name, subjects)
    binding, role, subject = KUBELET_CLIENT
    yield _binding(_metadata(binding), "ClusterRole", role, (subject,))
    for name in CONTROLLER_ROLES:
        role = f"system:controller:{name}"
        yield _binding(_metadata(role), "ClusterRole", role, (f"account kube-system/{name}",))


def roles() -> Iterator[JsonObject]:
    """Every default Role."""
    for (namespace, name), lines in ROLES.items():
        yield {"metadata": _metadata(name, namespace), "rules": rules(*lines)}


def role_bindings() -> Iterator[JsonObject]:
    """Every default RoleBinding."""
    for (namespace, name), (role, subjects) in ROLE_BINDINGS.items():
        yield _binding(_metadata(name, namespace), "Role", role, subjects)


def merged_role(existing: JsonObject, wanted: JsonObject) -> JsonObject | None:
    """The role with rules and labels it lacks; None when it lacks nothing or its owner turned updates off.

    Rules somebody added stay: reconciliation only ever adds.
    """
    if not _updates(existing):
        return None
    rules_now = list(existing.get("rules") or ())
    missing = [] if "aggregationRule" in wanted else [rule for rule in wanted["rules"] if not _held(rule, rules_now)]
    labels = existing["metadata"].get("labels") or {}
    merged = {**wanted["metadata"]["labels"], **labels}
    aggregation = existing.get("aggregationRule") or wanted.get("aggregationRule")
    if not missing and merged == labels and aggregation == existing.get("aggregationRule"):
        return None
    changed = {**existing, "metadata": {**existing["metadata"], "labels": merged}, "rules": [*rules_now, *missing]}
    if aggregation:
        changed["aggregationRule"] = aggregation
    return changed


def merged_binding(existing: JsonObject, wanted: JsonObject) -> JsonObject | None:
    """The binding with subjects it lacks; None when it lacks none or its owner turned updates off."""
    if not _updates(existing):
        return None
    subjects = list(existing.get("subjects") or ())
    missing = [one for one in wanted["subjects"] if one not in subjects]
    return {**existing, "subjects": [*subjects, *missing]} if missing else None


def _held(rule: JsonObject, others: Sequence[JsonObject]) -> bool:
    """Whether one of the rules says at least as much."""
    return any(
        all(_covers(other.get(part) or (), rule.get(part) or ()) for part in ("verbs", "apiGroups", "resources"))
        and (not other.get("resourceNames") or set(rule.get("resourceNames") or ("",)) <= set(other["resourceNames"]))
        and _covers(other.get("nonResourceURLs") or (), rule.get("nonResourceURLs") or ())
        for other in others
    )


def _covers(have: Sequence[str], want: Sequence[str]) -> bool:
    return "*" in have or set(want) <= set(have)


def _updates(existing: JsonObject) -> bool:
    return (existing["metadata"].get("annotations") or {}).get(AUTOUPDATE) != "false"


def _metadata(name: str, namespace: str = "", *, part_of: str = "") -> JsonObject:
    labels = {"kubernetes.io/bootstrapping": "rbac-defaults"}
    if part_of:
        labels[f"{GROUP}/aggregate-to-{part_of}"] = "true"
    made: JsonObject = {"name": name, "labels": labels, "annotations": {AUTOUPDATE: "true"}}
    if namespace:
        made["namespace"] = namespace
    return made


def _binding(metadata: JsonObject, kind: str, role: str, subjects: Sequence[str]) -> JsonObject:
    reference = {"apiGroup": GROUP, "kind": kind, "name": role}
    return {"metadata": metadata, "roleRef": reference, "subjects": [_subject(one) for one in subjects]}


def _subject(text: str) -> JsonObject:
    kind, _, name = text.partition(" ")
    if kind == "account":
        namespace, _, account = name.partition("/")
        return {"kind": "ServiceAccount", "name": account, "namespace": namespace}
    return {"kind": {"user": "User", "group": "Group"}[kind], "apiGroup": GROUP, "name": name}
