"""From a request to what is evaluated on it: the policies, bindings and parameters that it meets.

What of it cannot be used (an unknown paramKind, missing parameters) is found here too, and is told of the policy or of
the binding. Source: apiserver/pkg/admission/plugin/policy/generic/policy_dispatcher.go.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Generic

from pilothouse.api.machinery import errors
from pilothouse.api.machinery.errors import StatusError
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.admission.dynamic.parameters import (
    ConfigurationError,
    find_parameters,
    parameter_resource,
)
from pilothouse.apiserver.admission.dynamic.policies import Binding, E, Hook, Policy
from pilothouse.apiserver.admission.dynamic.request import Request, Target
from pilothouse.apiserver.registry.served import Served


@dataclass(frozen=True, slots=True, eq=False)
class Met(Generic[E]):
    """A policy and a binding that a request meets, with the parameters to evaluate with."""

    policy: Policy[E]
    binding: Binding
    target: Target
    parameters: Sequence[JsonObject | None]


@dataclass(frozen=True, slots=True, eq=False)
class Unusable(Generic[E]):
    """A policy that a request meets and that cannot be used, or not through this binding."""

    policy: Policy[E]
    binding: Binding | None
    message: str

    @property
    def binding_name(self) -> str:
        """Empty where it is not a binding's fault."""
        return self.binding.name if self.binding is not None else ""


class Dispatch:
    """Finds them."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._namespaces = served.cache.of("", "namespaces")

    def namespace(self, name: str) -> JsonObject:
        """A namespace, nobody's to change. Raises NotFound."""
        entry = self._namespaces.get("", name)
        if entry is None:
            raise errors.not_found("namespaces", "", name)
        return entry.kept()

    def namespace_of(self, request: Request) -> JsonObject | None:
        """The namespace that an object is in. Raises NotFound."""
        if request.is_namespace or not request.namespace:
            return None
        return self.namespace(request.namespace)

    async def meet(self, hook: Hook[E], request: Request) -> AsyncIterator[Met[E] | Unusable[E]]:
        """What a request meets of a policy and its bindings, in their order."""
        policy = hook.policy
        try:
            target = policy.matcher.match(request, self.namespace)
            if target is None:
                return
            kind = policy.spec.get("paramKind")
            resource = None if kind is None else parameter_resource(kind, self._served.catalogue)
        except (StatusError, ConfigurationError) as error:
            yield Unusable(policy, None, f"failed to configure policy: {error}")
            return
        for binding in hook.bindings:
            try:
                if binding.matcher.match(request, self.namespace) is None:
                    continue
                reference = binding.spec.get("paramRef")
                found = await find_parameters(resource, reference, request.namespace, self._served)
            except (StatusError, ConfigurationError) as error:
                yield Unusable(policy, binding, f"failed to configure binding: {error}")
                continue
            yield Met(policy, binding, target, found)
