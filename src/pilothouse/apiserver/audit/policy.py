"""The audit policy: at which level a request is recorded. The first rule that matches decides; nothing is level None.

What was decided is kept by what the rules look at, so that the same request is not held against them twice. Source:
"Auditing" of the cluster administration docs, audit.k8s.io/v1 Policy; apiserver/pkg/audit/policy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

from pilothouse.api.machinery.codec import yaml
from pilothouse.api.machinery.codec.syntax import MalformedError
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.names import dns_subdomain
from pilothouse.apiserver.request_info import RequestInfo
from pilothouse.apiserver.user import User
from pilothouse.runtime.bounded_memo import BoundedMemo

RECEIVED, STARTED, COMPLETE, PANIC = STAGES = ("RequestReceived", "ResponseStarted", "ResponseComplete", "Panic")
_MOST_KNOWN = 4096
"""Decisions that are kept; beyond it all are made anew."""


class Level(IntEnum):
    """How much is recorded; each has what those before it have."""

    NONE = 0
    METADATA = 1
    REQUEST = 2
    REQUEST_RESPONSE = 3


LEVELS = {
    "None": Level.NONE,
    "Metadata": Level.METADATA,
    "Request": Level.REQUEST,
    "RequestResponse": Level.REQUEST_RESPONSE,
}
LEVEL_NAMES = {level: name for name, level in LEVELS.items()}


class PolicyError(Exception):
    """The policy file cannot be used."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is recorded of a request."""

    level: Level
    omitted: frozenset[str] = frozenset()
    """Stages that are left out."""
    omits_managed_fields: bool = False


@dataclass(frozen=True, slots=True)
class GroupResources:
    """Resources of one API group. None at all means every resource of it."""

    group: str
    resources: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """Matches requests; what is empty matches all."""

    decision: Decision
    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()
    resources: tuple[GroupResources, ...] = ()
    namespaces: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()

    def matches(self, user: User | None, info: RequestInfo) -> bool:
        """Whether the rule is about this request; without a user, only rules that name none are."""
        if self.users and (user is None or user.name not in self.users):
            return False
        if self.groups and (user is None or not any(group in self.groups for group in user.groups)):
            return False
        if self.verbs and info.verb not in self.verbs:
            return False
        if self.namespaces or self.resources:
            if not info.is_resource or (self.namespaces and info.namespace not in self.namespaces):
                return False
            return not self.resources or any(_names(each, info) for each in self.resources)
        if self.paths:
            return not info.is_resource and any(_covers(path, info.path) for path in self.paths)
        return True


class Policy:
    """Rules in order."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        self._by_name = any(each.names for rule in self.rules for each in rule.resources)
        self._known: BoundedMemo[tuple[object, ...], Decision] = BoundedMemo(_MOST_KNOWN)

    def decide(self, user: User | None, info: RequestInfo) -> Decision:
        """What is recorded of a request. Without a user nobody was authenticated."""
        if info.is_resource:
            name = info.name if self._by_name else ""
            key: tuple[object, ...] = (
                user, info.verb, info.group, info.resource, info.subresource, info.namespace, name,
            )  # fmt: skip
        else:
            key = (user, info.verb, info.path)
        found = self._known.get(key)
        if found is None:
            matching = (rule.decision for rule in self.rules if rule.matches(user, info))
            found = self._known.keep(key, next(matching, _NOTHING))
        return found


_NOTHING = Decision(Level.NONE)


def _names(wanted: GroupResources, info: RequestInfo) -> bool:
    if wanted.group != info.group:
        return False
    if not wanted.resources:
        return True
    if wanted.names and info.name not in wanted.names:
        return False
    whole = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
    return any(
        each in (whole, "*", f"{info.resource}/*") or (bool(info.subresource) and each == f"*/{info.subresource}")
        for each in wanted.resources
    )


def _covers(pattern: str, path: str) -> bool:
    if pattern.endswith("*"):
        return path.startswith(pattern.rstrip("*"))
    return pattern == path


def load_policy(path: Path) -> Policy:
    """The policy in a file. Raises PolicyError."""
    try:
        return read_policy(path.read_bytes())
    except OSError as error:
        raise PolicyError(f'failed to read file path "{path}": {error.strerror}') from error
    except PolicyError as error:
        raise PolicyError(f"{error}: from file {path}") from None


def read_policy(text: bytes) -> Policy:
    """The policy that YAML or JSON says. Raises PolicyError."""
    try:
        document, _ = yaml.decode(text)
    except MalformedError as error:
        raise PolicyError(f"failed decoding: {error}") from error
    if not isinstance(document, dict):
        raise PolicyError("failed decoding: it is no object")
    kind = (document.get("apiVersion"), document.get("kind"))
    if kind != ("audit.k8s.io/v1", "Policy"):
        raise PolicyError(f"failed decoding: it is {kind[0]} {kind[1]}, not audit.k8s.io/v1 Policy")
    rules = document.get("rules") or []
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise PolicyError("failed decoding: rules is no list of objects")
    if not rules:
        raise PolicyError("loaded illegal policy with 0 rules")
    wrong = FieldErrors()
    for position, rule in enumerate(rules):
        _validate(rule, f"rules[{position}]", wrong)
    if wrong:
        raise PolicyError("; ".join(str(error) for error in wrong))
    return Policy([_rule(rule, document) for rule in rules])


def _rule(rule: Mapping[str, Any], policy: Mapping[str, Any]) -> Rule:
    omits = rule.get("omitManagedFields")
    decision = Decision(
        LEVELS[rule["level"]],
        frozenset((*(policy.get("omitStages") or ()), *(rule.get("omitStages") or ()))),
        bool(policy.get("omitManagedFields") if omits is None else omits),
    )
    resources = tuple(
        GroupResources(
            each.get("group") or "", tuple(each.get("resources") or ()), tuple(each.get("resourceNames") or ())
        )
        for each in rule.get("resources") or ()
    )

    def listed(field: str) -> tuple[str, ...]:
        return tuple(rule.get(field) or ())

    return Rule(
        decision, listed("users"), listed("userGroups"), listed("verbs"), resources, listed("namespaces"),
        listed("nonResourceURLs"),
    )  # fmt: skip


def _validate(rule: Mapping[str, Any], path: str, wrong: FieldErrors) -> None:
    level = rule.get("level") or ""
    if not level:
        wrong.required(f"{path}.level", "")
    elif level not in LEVELS:
        wrong.not_supported(f"{path}.level", level, tuple(LEVELS))
    urls = rule.get("nonResourceURLs") or []
    for position, url in enumerate(urls):
        if url != "*" and not url.startswith("/"):
            wrong.invalid(
                f"{path}.nonResourceURLs[{position}]", url, "non-resource URL rules must begin with a '/' character"
            )
        if "*" in url[:-1]:
            why = "non-resource URL wildcards '*' must be the final character of the rule"
            wrong.invalid(f"{path}.nonResourceURLs[{position}]", url, why)
    for each in rule.get("resources") or []:
        group = each.get("group") or ""
        if group and (problems := dns_subdomain(group)):
            wrong.invalid(f"{path}.resources.group", group, ",".join(problems))
        if each.get("resourceNames") and not each.get("resources"):
            why = "using resourceNames requires at least one resource"
            wrong.invalid(f"{path}.resources.resourceNames", each["resourceNames"], why)
    for position, stage in enumerate(rule.get("omitStages") or []):
        if stage not in STAGES:
            wrong.invalid(f"{path}.omitStages[{position}]", stage, f"allowed stages are {','.join(STAGES)}")
    if urls and (rule.get("resources") or rule.get("namespaces")):
        why = "rules cannot apply to both regular resources and non-resource URLs"
        wrong.invalid(f"{path}.nonResourceURLs", urls, why)
