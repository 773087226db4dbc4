"""RBAC: roles are sets of rules, bindings give them to users and groups; there is nothing but permission.

The rules that concern a user are collected once, from bindings and roles in the watch cache, and kept until a role or
binding changes. Source: the RBAC reference, plugin/pkg/auth/authorizer/rbac.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from pilothouse.api.machinery import errors
from pilothouse.api.machinery.errors import NotFound
from pilothouse.api.machinery.selectors import from_label_selector
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.authorization.framework import Attributes, Decision, Verdict
from pilothouse.apiserver.registry.watch_cache import WatchCache
from pilothouse.apiserver.user import SERVICE_ACCOUNT_PREFIX, User
from pilothouse.runtime.bounded_memo import BoundedMemo

_GROUP = "rbac.authorization.k8s.io"
_MOST_USERS = 4096
"""Users whose rules are kept; beyond it all are collected anew."""


@dataclass(frozen=True, slots=True)
class Granted:
    """A rule and where it came from. `namespace` is empty for one that counts everywhere."""

    rule: JsonObject
    namespace: str
    reason: str


class Holding(NamedTuple):
    """What a user has: rules, and the roles that bindings name in vain, by namespace."""

    rules: tuple[Granted, ...]
    missing: tuple[tuple[str, NotFound], ...]


class Rbac:
    """Decides by the roles and bindings of the cluster."""

    def __init__(self, cache: WatchCache) -> None:
        self._cluster_roles = cache.of(_GROUP, "clusterroles")
        self._roles = cache.of(_GROUP, "roles")
        self._cluster_bindings = cache.of(_GROUP, "clusterrolebindings")
        self._bindings = cache.of(_GROUP, "rolebindings")
        self._known: BoundedMemo[User, Holding] = BoundedMemo(_MOST_USERS)
        self._decided: BoundedMemo[Attributes, Decision] = BoundedMemo(_MOST_USERS)
        for observed in (self._cluster_roles, self._roles, self._cluster_bindings, self._bindings):
            observed.observe(self._forget)

    def authorize(self, attributes: Attributes) -> Decision:
        """Allow what some rule allows."""
        decision = self._decided.get(attributes)
        if decision is None:
            decision = self._decided.keep(attributes, self._decide(attributes))
        return decision

    def rules_of(self, user: User, namespace: str) -> list[Granted]:
        """Every rule that concerns the user in a namespace, with those that count everywhere."""
        return [granted for granted in self._holding(user).rules if granted.namespace in ("", namespace)]

    def missing_of(self, user: User, namespace: str) -> str:
        """Which roles are not there that bindings give the user; empty when all are."""
        return aggregate([error.message for error in self._missing(user, namespace)])

    def rules_of_role(self, reference: JsonObject, namespace: str) -> list[JsonObject]:
        """The rules that a binding's roleRef stands for. Raises NotFound."""
        return self._rules(reference, namespace)

    def _decide(self, attributes: Attributes) -> Decision:
        for granted in self._holding(attributes.user).rules:
            if granted.namespace not in ("", attributes.namespace):
                continue
            if granted.namespace and not attributes.is_resource:
                continue
            if allows(granted.rule, attributes):
                return Decision(Verdict.ALLOW, granted.reason)
        missing = aggregate([_singular(error) for error in self._missing(attributes.user, attributes.namespace)])
        return Decision(Verdict.NO_OPINION, f"RBAC: {missing}" if missing else "")

    def _missing(self, user: User, namespace: str) -> list[NotFound]:
        return [error for place, error in self._holding(user).missing if place in ("", namespace)]

    def _holding(self, user: User) -> Holding:
        found = self._known.get(user)
        if found is None:
            found = self._known.keep(user, self._collect(user))
        return found

    def _collect(self, user: User) -> Holding:
        rules: list[Granted] = []
        missing: list[tuple[str, NotFound]] = []
        for namespace, reference, reason in self._bound(user):
            try:
                found = self._rules(reference, namespace)
            except NotFound as error:
                missing.append((namespace, error))
            else:
                rules += [Granted(rule, namespace, reason) for rule in found]
        return Holding(tuple(rules), tuple(missing))

    def _bound(self, user: User) -> Iterator[tuple[str, JsonObject, str]]:
        """Namespace, role and reason of every binding that names the user."""
        for cache, what in ((self._cluster_bindings, "ClusterRoleBinding"), (self._bindings, "RoleBinding")):
            for entry in cache.select(""):
                binding = entry.decode()
                subjects = binding.get("subjects") or ()
                subject = next((one for one in subjects if is_subject(one, user, entry.namespace)), None)
                if subject is None:
                    continue
                reference = binding.get("roleRef") or {}
                named = f"{entry.name}/{entry.namespace}" if entry.namespace else entry.name
                who = f'{subject["kind"]} "{_subject_name(subject, entry.namespace)}"'
                role = f'{reference.get("kind")} "{reference.get("name")}"'
                yield entry.namespace, reference, f'RBAC: allowed by {what} "{named}" of {role} to {who}'

    def _rules(self, reference: JsonObject, namespace: str, above: tuple[str, ...] = ()) -> list[JsonObject]:
        """The rules of a role and of those it gathers; `above` are the roles it is gathered into, against circles.

        Raises NotFound.
        """
        name = reference.get("name") or ""
        if reference.get("kind") == "Role":
            entry = self._roles.get(namespace, name)
            if entry is None:
                raise errors.not_found("roles", _GROUP, name)
            return entry.decode().get("rules") or []
        entry = self._cluster_roles.get("", name)
        if entry is None:
            raise errors.not_found("clusterroles", _GROUP, name)
        role = entry.decode()
        seen = (*above, name)
        rules: list[JsonObject] = list(role.get("rules") or [])
        for selector in (role.get("aggregationRule") or {}).get("clusterRoleSelectors") or ():
            wanted = from_label_selector(selector)
            for other in self._cluster_roles.select(""):
                if other.name not in seen and wanted.matches(other.labels):
                    rules += self._rules({"kind": "ClusterRole", "name": other.name}, "", (*seen, other.name))
        return rules

    def _forget(self, _old: Any, _new: Any) -> None:
        self._known.clear()
        self._decided.clear()


def is_subject(subject: JsonObject, user: User, namespace: str = "") -> bool:
    """Whether a subject is the user, one of their groups, or their account, by default of the binding's namespace."""
    name = subject.get("name") or ""
    match subject.get("kind"):
        case "User":
            return name == user.name
        case "Group":
            return name in user.groups
        case "ServiceAccount":
            return user.name == f"{SERVICE_ACCOUNT_PREFIX}{subject.get('namespace') or namespace}:{name}"
    return False


def allows(rule: JsonObject, attributes: Attributes) -> bool:
    """Whether a rule covers what is asked."""
    if not _covers(rule.get("verbs"), attributes.verb):
        return False
    if not attributes.is_resource:
        return any(_path_matches(path, attributes.path) for path in rule.get("nonResourceURLs") or ())
    if not _covers(rule.get("apiGroups"), attributes.group):
        return False
    if not _covers_resource(rule.get("resources") or (), attributes.resource, attributes.subresource):
        return False
    names = rule.get("resourceNames") or ()
    return not names or attributes.name in names


def _covers(allowed: Any, asked: str) -> bool:
    return bool(allowed) and ("*" in allowed or asked in allowed)


def _covers_resource(allowed: Any, resource: str, subresource: str) -> bool:
    if "*" in allowed:
        return True
    if not subresource:
        return resource in allowed
    return f"{resource}/{subresource}" in allowed or f"*/{subresource}" in allowed


def _path_matches(pattern: str, path: str) -> bool:
    if pattern == "*":
        return True
    if pattern.endswith("*"):
        return path.startswith(pattern[:-1])
    return pattern == path


def _subject_name(subject: JsonObject, namespace: str) -> str:
    if subject.get("kind") == "ServiceAccount":
        return f"{subject.get('name')}/{subject.get('namespace') or namespace}"
    return str(subject.get("name"))


def _singular(error: NotFound) -> str:
    """The error as a lister words it, which is where upstream's authorizer looks."""
    return error.message.replace("roles.", "role.", 1)


def aggregate(texts: list[str]) -> str:
    """Several errors as one, as upstream's aggregates read."""
    different = list(dict.fromkeys(texts))
    return different[0] if len(different) == 1 else f"[{', '.join(different)}]" if different else ""
