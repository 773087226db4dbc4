"""eviction: delete a pod if no PodDisruptionBudget forbids it.

Source: pkg/registry/core/pod/storage/eviction.go and the API-initiated eviction page.
"""

from typing import Any

import orjson

from pilothouse.api.machinery import errors
from pilothouse.api.machinery.codec.body import Expected
from pilothouse.api.machinery.errors import InternalError, TooManyRequests
from pilothouse.api.machinery.resource import Resource, Subresource
from pilothouse.api.machinery.selectors import from_label_selector
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.pipeline.decode import decode_object, place
from pilothouse.apiserver.pipeline.deletion import Deletion
from pilothouse.apiserver.pipeline.options import DeleteOptions, write_options
from pilothouse.apiserver.pipeline.pipeline import Admission, Pipeline
from pilothouse.apiserver.pipeline.write import Operation, Write
from pilothouse.apiserver.registry.entry import Entry
from pilothouse.apiserver.registry.served import Served
from pilothouse.apiserver.verbs.forms import Form
from pilothouse.apiserver.verbs.shape import respond
from pilothouse.net.http import Response
from pilothouse.runtime.clock import Clock, format_time

_EVICTION = Expected("policy", "v1", "Eviction")
_REFUSED = "Cannot evict pod as it would violate the pod's disruption budget."
_SEVERAL = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."


class Eviction:
    """Answers POST to pods/NAME/eviction."""

    def __init__(
        self, served: Served, pipeline: Pipeline, deletion: Deletion, admission: Admission, clock: Clock
    ) -> None:
        self._served = served
        self._pipeline = pipeline
        self._deletion = deletion
        self._admission = admission
        self._clock = clock

    async def create(self, exchange: Exchange, resource: Resource[Any], part: Subresource, form: Form) -> Response:
        """Evict the pod. Raises TooManyRequests while its budget is spent."""
        options = write_options(exchange, "CreateOptions")
        eviction = await decode_object(exchange, _EVICTION, self._served.schemas, options.validation)
        info = exchange.info
        place(eviction, resource, info.namespace, info.name)
        await self._served.cache.reach_latest()
        posted = Write(
            exchange, resource, Operation.CREATE, info.namespace, info.name, new=eviction, subresource=part,
            dry_run=options.dry_run,
        )  # fmt: skip
        await self._admission.mutate(posted)
        eviction = posted.new or eviction
        await self._admission.validate(posted)
        entry = self._served.cache_of(resource).get(info.namespace, info.name)
        if entry is None:
            raise errors.not_found(resource.plural, resource.group, info.name)
        asked = eviction.get("deleteOptions") or {}
        dry_run = options.dry_run or bool(asked.get("dryRun"))
        pod = entry.decode()
        if not _ignores_budgets(pod) and (budget := self._budget_of(entry)) is not None:
            await self._spend(exchange, budget, pod, dry_run=dry_run)
        conditions = asked.get("preconditions") or {}
        delete = DeleteOptions(
            dry_run, asked.get("gracePeriodSeconds"), asked.get("propagationPolicy") or "",
            asked.get("orphanDependents"), conditions.get("uid"), conditions.get("resourceVersion"), asked,
        )  # fmt: skip
        write = Write(exchange, resource, Operation.DELETE, info.namespace, info.name, options=asked, dry_run=dry_run)
        await self._deletion.delete(write, delete, admitted=True)
        success = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
        return respond(exchange, orjson.dumps(success), form, 201)

    def _budget_of(self, pod: Entry) -> Entry | None:
        """The budget that covers the pod. Raises InternalError where there are several."""
        found = [
            entry
            for entry in self._served.cache.of("policy", "poddisruptionbudgets").select(pod.namespace)
            if from_label_selector((entry.decode().get("spec") or {}).get("selector")).matches(pod.labels)
        ]
        if len(found) > 1:
            raise InternalError(_SEVERAL)
        return found[0] if found else None

    async def _spend(self, exchange: Exchange, entry: Entry, pod: JsonObject, *, dry_run: bool) -> None:
        """Take one disruption out of the budget."""
        resource = self._served.catalogue.find("policy", "v1", "poddisruptionbudgets")
        assert resource is not None
        part = resource.subresource("status")
        write = Write(
            exchange, resource, Operation.UPDATE, entry.namespace, entry.name, subresource=part, dry_run=dry_run
        )
        name, now = pod["metadata"]["name"], format_time(self._clock.now())

        def spent(budget: JsonObject) -> JsonObject:
            take_disruption(budget, name, now)
            return budget

        await self._pipeline.update(write, spent, "kube-apiserver")


def take_disruption(budget: JsonObject, pod: str, now: str) -> None:
    """Count one disruption in a budget's status. Raises TooManyRequests when none is left."""
    status, generation = budget.get("status") or {}, budget["metadata"].get("generation") or 0
    name = budget["metadata"]["name"]
    if (status.get("observedGeneration") or 0) < generation:
        cause = f"The disruption budget {name} is still being processed by the server."
        raise _refusal(cause, retry=10)
    allowed = status.get("disruptionsAllowed") or 0
    if allowed <= 0:
        healthy, desired = status.get("currentHealthy") or 0, status.get("desiredHealthy") or 0
        raise _refusal(f"The disruption budget {name} needs {desired} healthy pods and has {healthy} currently")
    budget["status"] = {
        **status,
        "disruptionsAllowed": allowed - 1,
        "disruptedPods": {**(status.get("disruptedPods") or {}), pod: now},
    }


def _refusal(cause: str, retry: int = 0) -> TooManyRequests:
    details: JsonObject = {"causes": [{"reason": "DisruptionBudget", "message": cause}]}
    if retry:
        details["retryAfterSeconds"] = retry
    return TooManyRequests(_REFUSED, details=details)


def _ignores_budgets(pod: JsonObject) -> bool:
    """Whether nothing is disrupted: the pod has ended, has not begun, or goes already."""
    phase = (pod.get("status") or {}).get("phase")
    return phase in ("Succeeded", "Failed", "Pending") or bool(pod["metadata"].get("deletionTimestamp"))
