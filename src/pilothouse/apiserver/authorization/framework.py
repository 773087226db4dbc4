"""Authorizers see Attributes and decide, or leave it to the next; what nobody allows is forbidden.

Source: "Authorization overview" of the reference; apiserver/pkg/endpoints/handlers/responsewriters/errors.go for the
words of the refusal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, Protocol

from pilothouse.api.machinery import errors
from pilothouse.api.machinery.errors import Forbidden
from pilothouse.api.machinery.selectors import FieldRequirement
from pilothouse.apiserver.request_info import RequestInfo
from pilothouse.apiserver.user import MASTERS_GROUP, User


class Verdict(Enum):
    """What an authorizer says."""

    ALLOW = "allow"
    DENY = "deny"
    NO_OPINION = "no opinion"


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict and why."""

    verdict: Verdict
    reason: str = ""

    @property
    def allowed(self) -> bool:
        """Whether it is a yes."""
        return self.verdict is Verdict.ALLOW


_ALLOW, _PASS = Decision(Verdict.ALLOW), Decision(Verdict.NO_OPINION)


class Attributes(NamedTuple):
    """Who wants to do what. Without a resource `path` and `verb` count.

    A tuple, as one is made for every request and decisions are kept by it.
    """

    user: User
    verb: str
    group: str = ""
    version: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""
    is_resource: bool = True
    fields: tuple[FieldRequirement, ...] = ()
    """What a list, watch or deletion of many is narrowed to."""

    @classmethod
    def of(cls, user: User, info: RequestInfo, verb: str = "") -> "Attributes":
        """The attributes of a request, or of another verb on the same."""
        return cls(
            user, verb or info.verb, info.group, info.version, info.resource, info.subresource, info.namespace,
            info.name, info.path, info.is_resource, info.field_requirements,
        )  # fmt: skip


class Authorizer(Protocol):
    """One way of deciding."""

    def authorize(self, attributes: Attributes) -> Decision:
        """Decide, or have no opinion."""
        ...


class Chain:
    """Authorizers in order: the first that allows or denies decides."""

    def __init__(self, authorizers: Sequence[Authorizer]) -> None:
        self._authorizers = tuple(authorizers)

    def authorize(self, attributes: Attributes) -> Decision:
        """The first decision; the reasons of those without one otherwise."""
        reasons = []
        for authorizer in self._authorizers:
            decision = authorizer.authorize(attributes)
            if decision.verdict is not Verdict.NO_OPINION:
                return decision
            if decision.reason:
                reasons.append(decision.reason)
        return Decision(Verdict.NO_OPINION, "\n".join(reasons))


class Masters:
    """Members of system:masters may do anything, whatever the roles say."""

    def authorize(self, attributes: Attributes) -> Decision:
        """Allow the members."""
        return _ALLOW if MASTERS_GROUP in attributes.user.groups else _PASS


def forbidden(attributes: Attributes, reason: str) -> Forbidden:
    """The refusal in upstream's words."""
    user = f'User "{attributes.user.name}"'
    ending = f": {reason}" if reason else ""
    if not attributes.is_resource:
        return errors.forbidden("", "", "", f'{user} cannot {attributes.verb} path "{attributes.path}"{ending}')
    resource = attributes.resource
    if attributes.subresource:
        resource = f"{resource}/{attributes.subresource}"
    what = f'{user} cannot {attributes.verb} resource "{resource}" in API group "{attributes.group}"'
    where = f' in the namespace "{attributes.namespace}"' if attributes.namespace else " at the cluster scope"
    return errors.forbidden(attributes.resource, attributes.group, attributes.name, f"{what}{where}{ending}")
