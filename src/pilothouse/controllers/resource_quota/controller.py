"""The quota controller: counts what a quota limits, and writes it into the quota's status.

A quota is counted anew when its spec has changed, when something it counts has gone or uses something else, and every
few minutes. What is new is not counted here: admission has charged it. One whose status does not yet say what its spec
does goes first, as admission refuses until it does. Upstream: pkg/controller/resourcequota.
"""

from typing import Any, cast

from pilothouse.api.core.pod.resources import Amounts
from pilothouse.api.core.resource_quota.evaluator import IGNORED, Evaluator, read_amounts
from pilothouse.api.core.resource_quota.usage import evaluators_for, planned_status
from pilothouse.api.machinery.errors import NotFound, StatusError
from pilothouse.api.machinery.resource import Resource
from pilothouse.api.machinery.view import JsonObject, View
from pilothouse.api.types.core_v1 import ResourceQuota
from pilothouse.client.discovery import Discovery
from pilothouse.client.key import Key
from pilothouse.controllers.resource_quota.monitors import Monitors, is_countable
from pilothouse.reconcile.controller import EVENTS, Again, Controller, Tools, Watch, nothing, rule
from pilothouse.runtime.log import Log

RESYNC = 300.0
"""How often a quota is counted anew, whatever happens."""
DISCOVERY_PERIOD = 30.0
"""How often it is asked for kinds that quotas name and that are not built in."""
DISCOVERY_RETRY = 2.0
_FIRST_LIST = 10.0
_TIDY_AFTER = 60.0
_DISCOVER, _TIDY = Key("", "discover"), Key("", "tidy")

log = Log(__name__)


class ResourceQuotaController(Controller):
    """Keeps the status of quotas."""

    name = "resourcequota-controller"
    watches = (Watch(ResourceQuota, nothing),)
    rules = (
        rule(("*",), ("*",), ("list", "watch")),
        rule(("",), ("resourcequotas/status",), ("update",)),
        EVENTS,
    )

    def __init__(self, tools: Tools) -> None:
        super().__init__(tools)
        self._discovery = Discovery(self.client)
        self._discovering = False
        self._monitors = Monitors(self.informers, self._object_changed)

    def observe(self, old: View | None, new: View | None) -> None:
        """Count what is new or differs from its status; a charge alone changes nothing here."""
        is_other = old is None or new is None or _spec(new) != _spec(old)
        if is_other:
            self.queue.add_after(_TIDY, _TIDY_AFTER)
        if new is None:
            return
        if _is_behind(new) or (is_other and _is_uncounted(new)):
            self.queue.add_first(Key.of(new))
        elif is_other:
            self.queue.add(Key.of(new))

    async def reconcile(self, key: Key) -> Again | None:
        """Count for one quota."""
        if key == _DISCOVER:
            return await self._discover()
        if key == _TIDY:
            self._tidy()
            return None
        quota = self.informers.of(ResourceQuota).lister.get(key)
        if quota is None:
            return None
        counted, is_complete = await self._count(quota)
        status = planned_status(_raw(quota), counted)
        if status is not None:
            try:
                await self.client.update(ResourceQuota, {**quota.raw, "status": status}, subresource="status")
            except NotFound:
                return None
        return Again(RESYNC if is_complete else DISCOVERY_RETRY)

    async def _count(self, quota: ResourceQuota) -> tuple[dict[str, Amounts], bool]:
        """What is used, by kind, and whether every kind could be counted that there is."""
        spec, namespace = _spec(quota), quota.metadata.namespace
        counted: dict[str, Amounts] = {}
        is_complete = True
        for evaluator in _evaluators(quota):
            resource = self._resource(evaluator)
            if resource is None:
                continue
            monitor = self._monitors.of(evaluator, resource)
            try:
                async with self.clock.timeout(_FIRST_LIST):
                    await monitor.synced()
            except TimeoutError:
                log.info("Not yet listed", resource=resource.qualified_name, quota=str(Key.of(quota)))
                is_complete = False
                continue
            counted[evaluator.object_count] = monitor.used(spec, namespace, self.clock.now())
        return counted, is_complete

    def _resource(self, evaluator: Evaluator) -> Resource[Any] | None:
        """The kind that a quota names, if there is one. For what is not built in it is looked again and again."""
        kind = (evaluator.group, evaluator.plural)
        built_in = [one for one in self.client.catalogue if (one.group, one.plural) == kind]
        if not built_in and not self._discovering:
            self._discovering = True
            self.queue.add(_DISCOVER)
        found = built_in or [one.resource for one in self._discovery.preferred()]
        for resource in found:
            if (resource.group, resource.plural) == kind:
                return resource if is_countable(resource) and kind not in IGNORED else None
        return None

    async def _discover(self) -> Again | None:
        """See which kinds there are now, as long as some quota names one that is not built in."""
        built_in = {(one.group, one.plural) for one in self.client.catalogue}
        concerned = [
            quota
            for quota in self.informers.of(ResourceQuota).lister.list()
            if any((one.group, one.plural) not in built_in for one in _evaluators(quota))
        ]
        self._discovering = bool(concerned)
        if not concerned:
            return None
        try:
            if await self._discovery.refresh():
                for quota in concerned:
                    self.queue.add(Key.of(quota))
        except (StatusError, OSError, TimeoutError, ValueError) as error:
            log.warning("Failed to discover resources", err=str(error))
            return Again(DISCOVERY_RETRY)
        return Again(DISCOVERY_PERIOD)

    def _tidy(self) -> None:
        """Watch no more what no quota names."""
        quotas = self.informers.of(ResourceQuota).lister.list()
        self._monitors.keep((one.group, one.plural) for quota in quotas for one in _evaluators(quota))

    def _object_changed(self, evaluator: Evaluator, old: View | None, new: View | None) -> None:
        """Count anew where an object uses something else than before, or nothing more."""
        if old is None:
            return
        quotas = self.informers.of(ResourceQuota).lister.list(old.metadata.namespace)
        concerned = [quota for quota in quotas if any(evaluator.counts(name) for name in quota.spec.hard)]
        if not concerned or (new is not None and not evaluator.counts_anew(_raw(old), _raw(new), self.clock.now())):
            return
        for quota in concerned:
            self.queue.add(Key.of(quota))


def _raw(view: View) -> JsonObject:
    return cast("JsonObject", view.raw)


def _spec(view: View) -> JsonObject:
    spec: JsonObject = view.raw.get("spec") or {}
    return spec


def _evaluators(quota: ResourceQuota) -> list[Evaluator]:
    return evaluators_for(quota.spec.hard)


def _is_behind(quota: View) -> bool:
    """Whether the status does not yet say what the spec does."""
    return read_amounts((quota.raw.get("status") or {}).get("hard")) != read_amounts(_spec(quota).get("hard"))


def _is_uncounted(quota: View) -> bool:
    """Whether the status says nothing of something that can be counted."""
    used = (quota.raw.get("status") or {}).get("used") or {}
    return any(name not in used and evaluators_for((name,)) for name in _spec(quota).get("hard") or ())
