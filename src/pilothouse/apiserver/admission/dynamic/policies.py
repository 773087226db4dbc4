"""Policies and their bindings, as the watch cache has them, and which of them a request may concern.

A policy without bindings does nothing. It is compiled when the first request meets it, and again only after it has
changed. Which rules speak of a resource and an operation at all is found once, so that a request that no policy is
about costs a look-up. They come in the order of their names. Source:
apiserver/pkg/admission/plugin/policy/generic/policy_source.go.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.admission.dynamic.matching import Matcher, is_beyond_policies
from pilothouse.apiserver.admission.dynamic.request import Request
from pilothouse.apiserver.pipeline.write import Write
from pilothouse.apiserver.registry.entry import Entry
from pilothouse.apiserver.registry.served import Served

E = TypeVar("E")
_GROUP = "admissionregistration.k8s.io"


class Policy(Generic[E]):
    """A policy, what it matches, and its expressions."""

    def __init__(self, obj: JsonObject, compile_: Callable[[JsonObject], E]) -> None:
        self.name: str = obj["metadata"]["name"]
        self.spec: JsonObject = obj.get("spec") or {}
        self._obj = obj
        self._compile = compile_

    @cached_property
    def matcher(self) -> Matcher:
        """What it is about."""
        return Matcher.of(self.spec.get("matchConstraints"))

    @cached_property
    def compiled(self) -> E:
        """What evaluates it."""
        return self._compile(self._obj)

    @property
    def ignores_failure(self) -> bool:
        """Whether what cannot be evaluated is let pass."""
        return self.spec.get("failurePolicy") == "Ignore"


class Binding:
    """Where and with which parameters a policy applies."""

    def __init__(self, obj: JsonObject) -> None:
        self.name: str = obj["metadata"]["name"]
        self.spec: JsonObject = obj.get("spec") or {}

    @cached_property
    def matcher(self) -> Matcher:
        """What of the policy's it is about."""
        return Matcher.of(self.spec.get("matchResources"))


@dataclass(frozen=True, slots=True, eq=False)
class Hook(Generic[E]):
    """A policy with its bindings."""

    policy: Policy[E]
    bindings: tuple[Binding, ...]


class Policies(Generic[E]):
    """Follows the policies of one kind."""

    def __init__(self, served: Served, kind: str, compile_: Callable[[JsonObject], E]) -> None:
        self._served = served
        self._compile = compile_
        self._policies: dict[str, Policy[E]] = {}
        self._bindings: dict[str, Binding] = {}
        self._hooks: tuple[Hook[E], ...] | None = ()
        self._concerned: dict[tuple[str, ...], tuple[Hook[E], ...]] = {}
        served.cache.of(_GROUP, f"{kind}admissionpolicies").follow(self._follow_policy)
        served.cache.of(_GROUP, f"{kind}admissionpolicybindings").follow(self._follow_binding)

    @property
    def hooks(self) -> tuple[Hook[E], ...]:
        """All that are bound."""
        if self._hooks is None:
            self._concerned.clear()
            bound: dict[str, list[Binding]] = {}
            for _, binding in sorted(self._bindings.items()):
                bound.setdefault(binding.spec.get("policyName") or "", []).append(binding)
            found = [(self._policies[name], bound[name]) for name in sorted(bound) if name in self._policies]
            self._hooks = tuple([Hook(policy, tuple(bindings)) for policy, bindings in found])
        return self._hooks

    def concerned(self, write: Write) -> Sequence[Hook[E]]:
        """Those whose rules may speak of such a write; selectors and names are still to be asked."""
        hooks, resource = self.hooks, write.resource
        if not hooks:
            return hooks
        kind = (resource.group, resource.version, resource.plural, write.part, write.operation)
        found = self._concerned.get(kind)
        if found is None:
            found = ()
            if not is_beyond_policies(resource.group, resource.plural):
                request = Request(write, self._served)
                found = tuple([hook for hook in hooks if hook.policy.matcher.may_match(request)])
            self._concerned[kind] = found
        return found

    def _follow_policy(self, entry: Entry, obj: JsonObject | None) -> None:
        self._hooks = None
        if obj is None:
            self._policies.pop(entry.name, None)
        else:
            self._policies[entry.name] = Policy(obj, self._compile)

    def _follow_binding(self, entry: Entry, obj: JsonObject | None) -> None:
        self._hooks = None
        if obj is None:
            self._bindings.pop(entry.name, None)
        else:
            self._bindings[entry.name] = Binding(obj)
