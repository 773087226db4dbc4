"""MutatingAdmissionPolicy: changes in CEL made to objects on their way in.

Policies run in the order of their names, each on what the one before left. What fails is refused at the end, unless the
failure policy lets it pass. Source: apiserver/pkg/admission/plugin/policy/mutating/{plugin,dispatcher}.go.
"""

from dataclasses import dataclass, field

from pilothouse.api.machinery import errors
from pilothouse.api.machinery.errors import Forbidden, ServiceUnavailable, StatusError
from pilothouse.api.machinery.schema import Schema
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.admission.dynamic.breath import Breath
from pilothouse.apiserver.admission.dynamic.conditions import ConditionError
from pilothouse.apiserver.admission.dynamic.dispatch import Dispatch, Met, Unusable
from pilothouse.apiserver.admission.dynamic.evaluation import values_of
from pilothouse.apiserver.admission.dynamic.measures import Measures, error_type
from pilothouse.apiserver.admission.dynamic.mutating import MutatingPolicy, Mutation
from pilothouse.apiserver.admission.dynamic.patches import MutationError
from pilothouse.apiserver.admission.dynamic.policies import Policies
from pilothouse.apiserver.admission.dynamic.request import GroupVersionKind, Request
from pilothouse.apiserver.admission.framework import Admission
from pilothouse.apiserver.authorization.framework import Authorizer
from pilothouse.apiserver.pipeline.complete import complete
from pilothouse.apiserver.pipeline.managed import entries_of, keep_readable
from pilothouse.apiserver.pipeline.rounds import Previous, Rounds
from pilothouse.apiserver.pipeline.write import Operation, Write
from pilothouse.apiserver.registry.served import Served
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.metrics import Metrics

_DELAY = "There can be a delay between when CustomResourceDefinitions are created and when they are available."


class PolicyRefusal(Forbidden):
    """A policy that cannot be evaluated: forbidden by its code, invalid by its reason, as upstream has it."""

    reason = "Invalid"


@dataclass(slots=True)
class _Round:
    """One pass over the policies."""

    request: Request
    namespace: JsonObject | None
    rounds: Rounds
    previous: Previous
    breath: Breath
    problems: list[tuple[str, type[Forbidden]]] = field(default_factory=list)


class MutatingAdmissionPolicy(Admission):
    """Upstream's plugin of this name."""

    name = "MutatingAdmissionPolicy"
    order = 900

    def __init__(self, served: Served, authorizer: Authorizer, clock: Clock, chance: Chance) -> None:
        super().__init__(served, authorizer, clock, chance)
        self._policies = Policies(served, "mutating", MutatingPolicy)
        self._dispatch = Dispatch(served)
        self._measures: Measures | None = None

    def measure(self, metrics: Metrics) -> None:
        """Count in these."""
        self._measures = Measures(metrics, "mutating")

    async def mutate(self, write: Write) -> None:
        """Change the object. Raises Forbidden for what cannot be done, InternalError for what is no object then."""
        hooks = self._policies.concerned(write)
        if not hooks or write.operation is Operation.DELETE:
            return
        request = Request(write, self.served)
        rounds = write.rounds = write.rounds or Rounds()
        now = _Round(request, self._dispatch.namespace_of(request), rounds, rounds.of(self.name), Breath(self.clock))
        if rounds.second and now.previous.has_changed(write.new):
            now.previous.change()
        entries = entries_of(write.new)
        met = [found for hook in hooks async for found in self._dispatch.meet(hook, request)]
        for found in met:
            if isinstance(found, Unusable):
                self._complain(now, found)
        for found in met:
            if isinstance(found, Met):
                await self._run(now, found)
        keep_readable(write, entries)
        now.previous.leave(write.new)
        if now.problems:
            raise _refusal(request, now.problems)

    async def _run(self, now: _Round, met: Met[MutatingPolicy]) -> None:
        """Carry out a policy's mutations, once for each object of parameters."""
        request, policy = now.request, met.policy
        for parameters in met.parameters:
            await now.breath.take()
            values = values_of(request, met.target, now.namespace, parameters, self.authorizer)
            try:
                if not policy.compiled.conditions.hold(values):
                    continue
            except ConditionError as error:
                self._fail(now, met, str(error))
                continue
            key = (policy.name, met.binding.name, _identity(parameters))
            if now.rounds.second and not now.previous.shall_run(key):
                continue
            changed = False
            for mutation in policy.compiled.mutations:
                changed |= self._mutate(now, met, mutation, parameters)
            if changed:
                now.previous.change()
                now.rounds.wanted = True
            if policy.compiled.reinvoked:
                now.previous.ran(key)

    def _mutate(self, now: _Round, met: Met[MutatingPolicy], mutation: Mutation, parameters: JsonObject | None) -> bool:
        """Carry out one; whether the object is another then."""
        request, kind = now.request, met.target.kind
        values = values_of(request, met.target, now.namespace, parameters, self.authorizer)
        before = request.seen_as(kind).object
        if before is None:
            return False
        began, problem = self.clock.monotonic(), ""
        try:
            after = mutation.carry_out(values, before, self._schema(kind), kind)
        except MutationError as error:
            problem = str(error)
        if self._measures is not None:
            told = error_type(problem) if problem else "no_error"
            self._measures.observe(self.clock.monotonic() - began, met.policy.name, met.binding.name, told)
        if problem:
            self._fail(now, met, problem)
            return False
        request.put(after, kind)
        if request.is_whole:
            complete(request.write, self.served.schemas)
        return request.seen_as(kind).object != before

    def _schema(self, kind: GroupVersionKind) -> Schema:
        """Raises ServiceUnavailable for what has none, such as the options of a connection."""
        try:
            return self.served.schemas.kind(*kind)
        except LookupError:
            raise ServiceUnavailable(f"Resource kind {kind} not found. {_DELAY}") from None

    def _complain(self, now: _Round, found: Unusable[MutatingPolicy]) -> None:
        if not found.policy.ignores_failure:
            now.problems.append((_denial(found.policy.name, found.binding_name, found.message), Forbidden))

    def _fail(self, now: _Round, met: Met[MutatingPolicy], message: str) -> None:
        if not met.policy.ignores_failure:
            now.problems.append((_denial(met.policy.name, met.binding.name, message), PolicyRefusal))


def _identity(parameters: JsonObject | None) -> tuple[str, str]:
    metadata = (parameters or {}).get("metadata") or {}
    return metadata.get("namespace") or "", metadata.get("name") or ""


def _denial(policy: str, binding: str, message: str) -> str:
    if binding:
        return f"policy '{policy}' with binding '{binding}' denied request: {message}"
    return f'policy "{policy}" denied request: {message}'


def _refusal(request: Request, problems: list[tuple[str, type[Forbidden]]]) -> StatusError:
    """The first in words, all as causes."""
    resource = request.write.resource
    details = errors.forbidden(resource.plural, resource.group, request.name or "Unknown", "").details
    message, kind = problems[0]
    return kind(message, details={**details, "causes": [{"message": text} for text, _ in problems]})
