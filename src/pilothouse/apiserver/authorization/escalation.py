"""Escalation: nobody gives away rights that they do not hold, by writing a role or by binding one.

A rule is taken apart into single grants, each of which must be covered by one rule of the writer. The verbs `escalate`
and `bind` lift the check, for roles and for bindings; members of system:masters are exempt. Source:
pkg/registry/rbac/{escalation_check.go,*/policybased,validation/rule.go} and component-helpers/auth/rbac/validation.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from pilothouse.api.machinery import errors
from pilothouse.api.machinery.errors import Forbidden
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.authorization.framework import Attributes, Authorizer
from pilothouse.apiserver.authorization.rbac import Rbac
from pilothouse.apiserver.pipeline.write import Operation, Write
from pilothouse.apiserver.user import MASTERS_GROUP, User

_GROUP = "rbac.authorization.k8s.io"
_ROLES = {"Role": "roles", "ClusterRole": "clusterroles"}
_EVERYTHING: tuple[JsonObject, ...] = (
    {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
    {"verbs": ["*"], "nonResourceURLs": ["*"]},
)
_COLLECTED = ("ownerReferences", "finalizers", "managedFields", "resourceVersion")
"""What garbage collection changes, and what changes with it."""


class Grant(NamedTuple):
    """One verb on one thing: a path, or a resource and perhaps one name of it."""

    verb: str
    group: str = ""
    resource: str = ""
    name: str = ""
    path: str = ""


class Escalation:
    """Looks at every write of a role or binding before it is stored."""

    def __init__(self, rbac: Rbac, authorizer: Authorizer) -> None:
        self._rbac = rbac
        self._authorizer = authorizer

    def check(self, write: Write) -> None:
        """Raise Forbidden if the writer would give away more than they have, NotFound for a role that is not there."""
        if write.resource.group != _GROUP or write.new is None or write.operation is Operation.DELETE:
            return
        if MASTERS_GROUP in write.exchange.user.groups:
            return
        if write.resource.plural in _ROLES.values():
            self._check_role(write, write.new)
        else:
            self._check_binding(write, write.new)

    def _check_role(self, write: Write, role: JsonObject) -> None:
        user, info = write.exchange.user, write.exchange.info
        asked = Attributes(user, "escalate", _GROUP, "*", write.resource.plural, "", info.namespace, info.name)
        if self._authorizer.authorize(asked).allowed or _is_collection(write):
            return
        self._confirm(write, role.get("rules") or ())
        if _gathers(role) or (write.old is not None and _gathers(write.old)):
            try:
                self._confirm(write, _EVERYTHING)
            except Forbidden:
                raise _refusal(write, "must have cluster-admin privileges to use the aggregationRule") from None

    def _check_binding(self, write: Write, binding: JsonObject) -> None:
        if _is_collection(write):
            return
        reference = binding.get("roleRef") or {}
        plural, name = _ROLES.get(reference.get("kind") or ""), reference.get("name") or ""
        if plural is None:
            return  # validation says why
        group, user = reference.get("apiGroup") or "", write.exchange.user
        asked = Attributes(user, "bind", group, "*", plural, "", write.namespace, name)
        if not self._authorizer.authorize(asked).allowed:
            self._confirm(write, self._rbac.rules_of_role(reference, write.namespace))

    def _confirm(self, write: Write, rules: Iterable[JsonObject]) -> None:
        user, namespace = write.exchange.user, write.namespace
        held = [granted.rule for granted in self._rbac.rules_of(user, namespace)]
        missing = uncovered(held, rules)
        if not missing:
            return
        why = f"{_shown(user)} is attempting to grant RBAC permissions not currently held:\n"
        why += "\n".join(sorted(set(compacted(missing))))
        if unresolved := self._rbac.missing_of(user, namespace):
            why += f"; resolution errors: [{unresolved}]"
        raise _refusal(write, why)


def uncovered(held: Sequence[JsonObject], wanted: Iterable[JsonObject]) -> list[Grant]:
    """What is wanted and no rule held covers."""
    grants = (grant for rule in wanted for grant in grants_of(rule))
    return [grant for grant in grants if not any(covers(rule, grant) for rule in held)]


def grants_of(rule: JsonObject) -> Iterator[Grant]:
    """A rule, taken apart."""
    verbs = rule.get("verbs") or ()
    for group in rule.get("apiGroups") or ():
        for resource in rule.get("resources") or ():
            for verb in verbs:
                for name in rule.get("resourceNames") or ("",):
                    yield Grant(verb, group, resource, name)
    for path in rule.get("nonResourceURLs") or ():
        for verb in verbs:
            yield Grant(verb, path=path)


def covers(rule: JsonObject, grant: Grant) -> bool:
    """Whether a rule gives at least this. One that is limited to names gives nothing that is not."""
    names = rule.get("resourceNames") or ()
    if not _has(rule.get("verbs"), grant.verb) or (names and grant.name not in names):
        return False
    if grant.path:
        return any(_path_covers(owned, grant.path) for owned in rule.get("nonResourceURLs") or ())
    if not _has(rule.get("apiGroups"), grant.group):
        return False
    resources, part = rule.get("resources") or (), grant.resource.partition("/")[2]
    return _has(resources, grant.resource) or bool(part and f"*/{part}" in resources)


def compacted(grants: Iterable[Grant]) -> Iterator[str]:
    """Grants as upstream shows them; those that differ in the verb alone are one, but for names and paths."""
    together: dict[tuple[str, str], list[str]] = {}
    for verb, group, resource, name, path in grants:
        if path:
            yield f"{{NonResourceURLs:{_quoted((path,))}, Verbs:{_quoted((verb,))}}}"
        elif name:
            what = f"APIGroups:{_quoted((group,))}, Resources:{_quoted((resource,))}"
            yield f"{{{what}, ResourceNames:{_quoted((name,))}, Verbs:{_quoted((verb,))}}}"
        else:
            together.setdefault((group, resource), []).append(verb)
    for (group, resource), verbs in together.items():
        yield f"{{APIGroups:{_quoted((group,))}, Resources:{_quoted((resource,))}, Verbs:{_quoted(verbs)}}}"


def _has(owned: Sequence[str] | None, wanted: str) -> bool:
    return owned is not None and ("*" in owned or wanted in owned)


def _path_covers(owned: str, path: str) -> bool:
    return owned == path or (owned.endswith("*") and path.startswith(owned.rstrip("*")))


def _gathers(role: JsonObject) -> bool:
    return bool((role.get("aggregationRule") or {}).get("clusterRoleSelectors"))


def _is_collection(write: Write) -> bool:
    """Whether an update changes only what garbage collection needs to change."""
    return write.new is not None and write.old is not None and _fixed(write.new) == _fixed(write.old)


def _fixed(obj: JsonObject) -> JsonObject:
    metadata = {name: value for name, value in obj["metadata"].items() if name not in _COLLECTED}
    return {**obj, "metadata": metadata}


def _shown(user: User) -> str:
    return f'user "{user.name}" (groups={_quoted(user.groups)})'


def _quoted(names: Sequence[str]) -> str:
    return "[" + " ".join(f'"{name}"' for name in names) + "]"


def _refusal(write: Write, why: str) -> Forbidden:
    return errors.forbidden(write.resource.plural, _GROUP, write.name, why)
