"""ValidatingAdmissionPolicy: rules in CEL that refuse requests, warn of them or note them.

A request that no policy is about costs a look-up. Source:
apiserver/pkg/admission/plugin/policy/validating/{plugin,dispatcher}.go.
"""

from dataclasses import dataclass, field

from pilothouse.api.machinery import errors
from pilothouse.api.machinery.errors import Forbidden, Invalid, RequestEntityTooLarge, StatusError, Unauthorized
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.admission.dynamic.audit_notes import Notes, failure_note
from pilothouse.apiserver.admission.dynamic.breath import Breath
from pilothouse.apiserver.admission.dynamic.dispatch import Dispatch, Met, Unusable
from pilothouse.apiserver.admission.dynamic.evaluation import values_of
from pilothouse.apiserver.admission.dynamic.measures import Measures, error_type
from pilothouse.apiserver.admission.dynamic.policies import Policies
from pilothouse.apiserver.admission.dynamic.request import Request
from pilothouse.apiserver.admission.dynamic.validating import Annotation, Decision, ValidatingPolicy
from pilothouse.apiserver.admission.framework import Admission
from pilothouse.apiserver.authorization.framework import Authorizer
from pilothouse.apiserver.pipeline.write import Write
from pilothouse.apiserver.registry.served import Served
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.metrics import Metrics

_FAILURES = "validation.policy.admission.k8s.io/validation_failure"
_REFUSALS: dict[str, type[StatusError]] = {
    kind.reason: kind for kind in (Forbidden, Invalid, RequestEntityTooLarge, Unauthorized)
}


@dataclass(slots=True)
class _Outcome:
    """What has been said of a request so far."""

    request: Request
    namespace: JsonObject | None
    breath: Breath
    refusals: list[tuple[str, str]] = field(default_factory=list)
    """Messages and reasons."""
    notes: Notes = field(default_factory=Notes)


class ValidatingAdmissionPolicy(Admission):
    """Upstream's plugin of this name."""

    name = "ValidatingAdmissionPolicy"
    order = 920

    def __init__(self, served: Served, authorizer: Authorizer, clock: Clock, chance: Chance) -> None:
        super().__init__(served, authorizer, clock, chance)
        self._policies = Policies(served, "validating", ValidatingPolicy)
        self._dispatch = Dispatch(served)
        self._measures: Measures | None = None

    def measure(self, metrics: Metrics) -> None:
        """Count in these."""
        self._measures = Measures(metrics, "validating", "enforcement_action")

    async def validate(self, write: Write) -> None:
        """Refuse what a policy denies. Raises what the policy's reason says, Invalid by default."""
        hooks = self._policies.concerned(write)
        if not hooks:
            return
        request = Request(write, self.served)
        outcome = _Outcome(request, self._dispatch.namespace_of(request), Breath(self.clock))
        for hook in hooks:
            async for found in self._dispatch.meet(hook, request):
                if isinstance(found, Unusable):
                    _complain(outcome, found)
                else:
                    await self._judge(outcome, found)
            outcome.notes.publish(hook.policy.name, write.exchange)
        if outcome.refusals:
            raise _refusal(request, *outcome.refusals[0])

    async def _judge(self, outcome: _Outcome, met: Met[ValidatingPolicy]) -> None:
        for parameters in met.parameters:
            await outcome.breath.take()
            values = values_of(outcome.request, met.target, outcome.namespace, parameters, self.authorizer)
            began = self.clock.monotonic()
            judgement = met.policy.compiled.judge(values)
            seconds = self.clock.monotonic() - began
            for position, decision in enumerate(judgement.decisions):
                self._act(outcome, met, position, decision, seconds / len(judgement.decisions))
            for annotation in judgement.annotations:
                self._note(outcome, met, annotation)

    def _act(
        self, outcome: _Outcome, met: Met[ValidatingPolicy], position: int, decision: Decision, seconds: float
    ) -> None:
        """Do what the binding says of a validation that does not hold."""
        if not decision.denied:
            if decision.failed:
                self._count(met, seconds, decision.message, "allow")
            return
        exchange = outcome.request.write.exchange
        for action in met.binding.spec.get("validationActions") or ():
            match action:
                case "Deny":
                    outcome.refusals.append(
                        (_denial(met.policy.name, met.binding.name, decision.message), decision.reason)
                    )
                case "Audit":
                    exchange.annotate(_FAILURES, failure_note(met.binding, position, decision.message))
                case "Warn":
                    who = f"ValidatingAdmissionPolicy '{met.policy.name}' with binding '{met.binding.name}'"
                    text = f"Validation failed for {who}: {decision.message}"
                    if text not in exchange.warnings:
                        exchange.warnings.append(text)
            self._count(met, seconds, decision.message, action.lower())

    def _note(self, outcome: _Outcome, met: Met[ValidatingPolicy], annotation: Annotation) -> None:
        if annotation.problem:
            outcome.refusals.append((_denial(met.policy.name, met.binding.name, annotation.problem), "Invalid"))
            self._count(met, 0.0, annotation.problem, "deny")
        elif annotation.value:
            outcome.notes.add(annotation.key, annotation.value)

    def _count(self, met: Met[ValidatingPolicy], seconds: float, message: str, action: str) -> None:
        if self._measures is not None:
            self._measures.observe(seconds, met.policy.name, met.binding.name, error_type(message), action)


def _complain(outcome: _Outcome, found: Unusable[ValidatingPolicy]) -> None:
    if not found.policy.ignores_failure:
        outcome.refusals.append((_denial(found.policy.name, found.binding_name, found.message), "Invalid"))


def _denial(policy: str, binding: str, message: str) -> str:
    by = f" with binding '{binding}'" if binding else ""
    return f"ValidatingAdmissionPolicy '{policy}'{by} denied request: {message}"


def _refusal(request: Request, message: str, reason: str) -> StatusError:
    resource = request.write.resource
    worded = errors.forbidden(resource.plural, resource.group, request.name or "Unknown", message)
    causes = [*worded.details.get("causes", ()), {"message": message}]
    return _REFUSALS.get(reason, Invalid)(worded.message, details={**worded.details, "causes": causes})
