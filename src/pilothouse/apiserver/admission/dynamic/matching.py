"""Whether a policy, binding or webhook is about a request: rules and selectors, read once and asked often.

Rules are of resources in versions; with the match policy Equivalent another version of the same resource will do, and
that is what is shown. A namespace is looked up only where a selector asks for its labels. Source:
apiserver/pkg/admission/plugin/policy/matching/matching.go, plugin/webhook/predicates/{rules,namespace,object}.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pilothouse.api.machinery.selectors import EVERYTHING, LabelSelector, from_label_selector
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.admission.dynamic.request import Request, Target
from pilothouse.apiserver.pipeline.write import Operation

_ANY = "*"
_CONFIGURATION = frozenset({
    "validatingadmissionpolicies", "validatingadmissionpolicybindings",
    "mutatingadmissionpolicies", "mutatingadmissionpolicybindings",
})  # fmt: skip
_WEBHOOKS = frozenset({"validatingwebhookconfigurations", "mutatingwebhookconfigurations"})
_REVIEWS = frozenset({
    ("authentication.k8s.io", "tokenreviews"),
    ("authorization.k8s.io", "localsubjectaccessreviews"),
    ("authorization.k8s.io", "selfsubjectaccessreviews"),
    ("authorization.k8s.io", "selfsubjectrulesreviews"),
    ("authorization.k8s.io", "subjectaccessreviews"),
})  # fmt: skip
_REGISTRATION = "admissionregistration.k8s.io"

FindNamespace = Callable[[str], JsonObject]
"""A namespace by its name. Raises NotFound."""


def is_beyond_policies(group: str, plural: str) -> bool:
    """Whether no policy is asked: about policies, or whoever locked everything could never unlock it; about reviews."""
    return (group == _REGISTRATION and plural in _CONFIGURATION) or (group, plural) in _REVIEWS


def is_beyond_webhooks(group: str, plural: str) -> bool:
    """Whether no webhook is asked: about webhooks and policies."""
    return group == _REGISTRATION and (plural in _CONFIGURATION or plural in _WEBHOOKS)


@dataclass(frozen=True, slots=True)
class Rule:
    """Operations on resources."""

    operations: frozenset[str]
    groups: frozenset[str]
    versions: frozenset[str]
    resources: tuple[tuple[str, str], ...]
    """Resource and subresource."""
    scope: str
    names: frozenset[str]
    """Of objects; empty for all."""

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> "Rule":
        """Read a rule."""
        parts = [text.partition("/") for text in raw.get("resources") or ()]
        return cls(
            frozenset(raw.get("operations") or ()),
            frozenset(raw.get("apiGroups") or ()),
            frozenset(raw.get("apiVersions") or ()),
            tuple([(resource, part) for resource, _, part in parts]),
            raw.get("scope") or _ANY,
            frozenset(raw.get("resourceNames") or ()),
        )

    def covers(self, request: Request, target: Target) -> bool:
        """Whether it speaks of the request's operation on the target, whatever the object is called."""
        return (
            self._in_scope(request)
            and (_ANY in self.operations or request.operation in self.operations)
            and (_ANY in self.groups or target.group in self.groups)
            and (_ANY in self.versions or target.version in self.versions)
            and any(
                resource in (_ANY, target.plural) and part in (_ANY, request.subresource)
                for resource, part in self.resources
            )
        )

    def matches(self, request: Request, target: Target) -> bool:
        """Whether it speaks of the request as one about the target."""
        return self.covers(request, target) and (not self.names or request.name in self.names)

    def _in_scope(self, request: Request) -> bool:
        in_cluster = request.is_namespace or not request.namespace
        return self.scope == _ANY or (self.scope == "Cluster") is in_cluster


class Matcher:
    """What a policy or binding matches (MatchResources), or a webhook."""

    def __init__(
        self,
        rules: Sequence[Mapping[str, Any]],
        excluded: Sequence[Mapping[str, Any]],
        *,
        equivalent: bool,
        namespaces: LabelSelector,
        objects: LabelSelector,
    ) -> None:
        self._rules = tuple([Rule.of(rule) for rule in rules])
        self._excluded = tuple([Rule.of(rule) for rule in excluded])
        self._equivalent = equivalent
        self._namespaces = namespaces
        self._objects = objects

    @classmethod
    def of(cls, match: JsonObject | None) -> "Matcher":
        """Read MatchResources; nothing of it matches everything."""
        match = match or {}
        return cls(
            match.get("resourceRules") or (),
            match.get("excludeResourceRules") or (),
            equivalent=match.get("matchPolicy") == "Equivalent",
            namespaces=_selector(match.get("namespaceSelector")),
            objects=_selector(match.get("objectSelector")),
        )

    def may_match(self, request: Request) -> bool:
        """Whether its rules speak of such requests at all; it is the same for all of one resource and operation."""
        if not self._rules:
            return True
        targets = (request.target, *(request.equivalents if self._equivalent else ()))
        return any(rule.covers(request, target) for target in targets for rule in self._rules)

    def match(self, request: Request, find: FindNamespace) -> Target | None:
        """What the request is shown as; None where it is not about it. Raises NotFound for a missing namespace."""
        if not self._selects_object(request) or self._found(self._excluded, request) is not None:
            return None
        target = self._found(self._rules, request) if self._rules else request.target
        if target is None or not self._selects_namespace(request, find):
            return None
        return target

    def _found(self, rules: Sequence[Rule], request: Request) -> Target | None:
        for rule in rules:
            if rule.matches(request, request.target):
                return request.target
        if not self._equivalent or not rules:
            return None
        for rule in rules:
            for target in request.equivalents:
                if rule.matches(request, target):
                    return target
        return None

    def _selects_object(self, request: Request) -> bool:
        """Whether the object is selected as it is or as it was."""
        if self._objects.everything:
            return True
        return any(obj is not None and self._objects.matches(_labels(obj)) for obj in request.objects)

    def _selects_namespace(self, request: Request, find: FindNamespace) -> bool:
        """Objects of the cluster are never kept out; a Namespace is selected by the labels it is to have."""
        if not request.namespace or self._namespaces.everything:
            return True
        written = request.operation in (Operation.CREATE, Operation.UPDATE) and not request.subresource
        new = request.objects.object
        of = new if request.is_namespace and written and new is not None else find(request.namespace)
        return self._namespaces.matches(_labels(of))


def _selector(raw: JsonObject | None) -> LabelSelector:
    return EVERYTHING if raw is None else from_label_selector(raw)


def _labels(obj: JsonObject) -> Mapping[str, str]:
    return (obj.get("metadata") or {}).get("labels") or {}
