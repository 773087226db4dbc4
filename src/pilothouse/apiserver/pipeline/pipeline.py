"""The pipeline itself: which stage follows which, for a creation and for an update.

decode, convert → stamp → default → managed fields → mutate → guard → strategy → allocate → validate → admit → encode →
commit. This is upstream's order (handlers/{create,update}.go, then registry/generic/registry/store.go); where
it differs from DESIGN, see docs/decisions. No stage may be left out, a subresource only has its own rules in some.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import orjson

from pilothouse.api.machinery import errors
from pilothouse.api.machinery.errors import AlreadyExists, StatusError
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.pipeline import managed, strategy, validation
from pilothouse.apiserver.pipeline.commit import Committer, Written
from pilothouse.apiserver.pipeline.complete import complete
from pilothouse.apiserver.pipeline.decode import Change
from pilothouse.apiserver.pipeline.identity import keep_identity, stamp_new
from pilothouse.apiserver.pipeline.write import Write
from pilothouse.apiserver.registry.entry import Entry
from pilothouse.apiserver.registry.served import Served
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock
from pilothouse.store import interface as store

_GENERATED_NAMES = 8
"""How many generated names are tried until one is free, as upstream does."""
_ATTEMPTS = 100
"""How often an update that names no revision is made again on top of others' changes."""


class Admission(Protocol):
    """The chain of admission plugins."""

    async def mutate(self, write: Write) -> None:
        """Change the new object, or refuse."""
        ...

    async def validate(self, write: Write) -> None:
        """Refuse, or accept by returning."""
        ...


Allocate = Callable[[Write], AbstractAsyncContextManager[None]]
"""Reserves what the new object needs (cluster IPs, node ports) and writes it in; leaving by an error gives it back."""

Guard = Callable[[Write], None]
"""Refuses what the writer may not do for reasons that no plugin can be turned off for."""


class Pipeline:
    """Every creation and update of an object goes through here."""

    def __init__(
        self,
        served: Served,
        admission: Admission,
        guard: Guard,
        allocate: Allocate,
        clock: Clock,
        chance: Chance,
        event_ttl: float,
    ) -> None:
        self._served = served
        self._guard = guard
        self._admission = admission
        self._allocate = allocate
        self._clock = clock
        self._chance = chance
        self.commit = Committer(served.cache, event_ttl)

    async def create(self, write: Write, manager: str) -> Written:
        """Bring a decoded object into being. Raises AlreadyExists, Invalid, what admission says."""
        assert write.new is not None
        _refuse_revision(write.new)
        metadata = write.new["metadata"]
        if metadata.get("name") or not metadata.get("generateName"):
            return await self._create(write, manager)
        asked = orjson.dumps(write.new)
        for attempt in range(_GENERATED_NAMES):
            try:
                return await self._create(write, manager)
            except AlreadyExists:
                if attempt == _GENERATED_NAMES - 1:
                    raise
                write.new, write.name = orjson.loads(asked), ""
        raise AssertionError("unreachable")

    async def update(self, write: Write, change: Change, manager: str) -> Written:
        """Put `change(stored object)` in place of the stored object. Raises NotFound, Conflict, Invalid."""
        return await self._update(write, lambda entry: change(self._served.decode(write.resource, entry)), manager)

    async def replace(self, write: Write, forms: Iterator[JsonObject], manager: str) -> Written:
        """Put the next of `forms` in place of the stored object, one for each attempt. Raises as `update` does."""
        return await self._update(write, lambda _entry: next(forms), manager)

    async def _update(self, write: Write, make: Callable[[Entry], JsonObject], manager: str) -> Written:
        of = self._served.cache_of(write.resource)
        await self._served.cache.reach_latest()
        for _ in range(_ATTEMPTS):
            current = of.get(write.namespace, write.name)
            if current is None:
                raise errors.not_found(write.resource.plural, write.resource.group, write.name)
            write.old = self._served.decode(write.resource, current)
            write.new = make(current)
            _check_preconditions(write)
            await self._prepare_update(write, manager)
            async with self._allocate(write):
                validation.validate(write)
                validation.warn(write)
                await self._admission.validate(write)
                if write.new["metadata"].get("deletionTimestamp") and _may_go(write.new):
                    return await self._finish_deletion(write)
                stored_form = self._served.to_storage(write.resource, write.new)
                try:
                    return await self.commit.update(write, of, current, stored_form)
                except store.Conflict:
                    continue
        raise errors.conflict(write.resource.plural, write.resource.group, write.name)

    async def _create(self, write: Write, manager: str) -> Written:
        new = write.new
        assert new is not None
        stamp_new(new, self._clock, self._chance)
        write.name = new["metadata"].get("name") or ""
        complete(write, self._served.schemas)
        managed.record_manager(write, manager, self._served, self._clock)
        await self._admission.mutate(write)
        self._guard(write)
        strategy.prepare_for_create(write)
        strategy.stamp(write, self._clock.now())
        for _ in range(_ATTEMPTS):
            try:
                return await self._commit_new(write)
            except store.TurnLost:
                continue
        raise errors.conflict(write.resource.plural, write.resource.group, write.name)

    async def _commit_new(self, write: Write) -> Written:
        async with self._allocate(write):
            assert write.new is not None
            validation.validate(write)
            validation.warn(write)
            await self._admission.validate(write)
            stored_form = self._served.to_storage(write.resource, write.new)
            return await self.commit.create(write, self._served.cache_of(write.resource), stored_form)

    async def _prepare_update(self, write: Write, manager: str) -> None:
        new, old = write.new, write.old
        assert new is not None
        assert old is not None
        keep_identity(new, old)
        complete(write, self._served.schemas)
        managed.record_manager(write, manager, self._served, self._clock)
        await self._admission.mutate(write)
        self._guard(write)
        strategy.prepare_for_update(write)
        strategy.stamp(write, self._clock.now())
        managed.keep_times(write)

    async def _finish_deletion(self, write: Write) -> Written:
        """The update took away the last that kept an object whose deletion was asked for: now it goes."""
        of = self._served.cache_of(write.resource)
        current = of.get(write.namespace, write.name)
        if current is None:
            raise errors.not_found(write.resource.plural, write.resource.group, write.name)
        try:
            return Written(await self.commit.delete(write, current))
        except store.Conflict:
            raise errors.conflict(write.resource.plural, write.resource.group, write.name) from None


def _may_go(obj: JsonObject) -> bool:
    """Whether nothing keeps an object whose deletion was asked for."""
    metadata = obj["metadata"]
    if metadata.get("finalizers") or metadata.get("deletionGracePeriodSeconds"):
        return False
    return not (obj["kind"] == "Namespace" and (obj.get("spec") or {}).get("finalizers"))


def _refuse_revision(obj: JsonObject) -> None:
    if obj["metadata"].get("resourceVersion"):
        raise StatusError("resourceVersion should not be set on objects to be created")


def _check_preconditions(write: Write) -> None:
    """The revision and uid that the new form names must be those of the stored one."""
    assert write.new is not None
    assert write.old is not None
    metadata, before = write.new["metadata"], write.old["metadata"]
    named = metadata.get("resourceVersion") or ""
    if not named or named == "0":
        if write.resource.unconditional_update or write.subresource is not None:
            metadata["resourceVersion"] = before["resourceVersion"]
    elif named != before["resourceVersion"]:
        raise errors.conflict(write.resource.plural, write.resource.group, write.name)
    uid = metadata.get("uid") or ""
    if uid and uid != before["uid"]:
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {before['uid']}"
        raise errors.conflict(write.resource.plural, write.resource.group, write.name, why)
