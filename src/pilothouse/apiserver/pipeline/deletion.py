"""Deletion: at once, after a grace period, or when the last finalizer is gone.

Source: registry/rest/delete.go (BeforeDelete) and registry/generic/registry/store.go (finalizers of garbage
collection), pkg/registry/core/namespace/storage. What can be deleted at once is; else the object is marked.
"""

from dataclasses import replace

from pilothouse.api.machinery import errors
from pilothouse.api.machinery.errors import Conflict
from pilothouse.api.machinery.meta import FINALIZER_FOREGROUND, FINALIZER_ORPHAN
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.pipeline.commit import Written
from pilothouse.apiserver.pipeline.options import DeleteOptions
from pilothouse.apiserver.pipeline.pipeline import Admission, Pipeline
from pilothouse.apiserver.pipeline.write import Write
from pilothouse.apiserver.registry.entry import Entry
from pilothouse.apiserver.registry.served import Served
from pilothouse.runtime.clock import Clock, format_time, parse_time
from pilothouse.store import interface as store

_ATTEMPTS = 100
_NOT_COLLECTED = frozenset({"events"})
"""Resources without dependents, whose deletion takes no finalizers."""
_EMPTYING = (
    "The system is ensuring all content is removed from this namespace.  "
    "Upon completion, this namespace will automatically be purged by the system."
)


class Deletion:
    """Deletes single objects."""

    def __init__(self, served: Served, pipeline: Pipeline, admission: Admission, clock: Clock) -> None:
        self._served = served
        self._pipeline = pipeline
        self._admission = admission
        self._clock = clock

    async def delete(self, write: Write, options: DeleteOptions, *, admitted: bool = False) -> tuple[Written, bool]:
        """Delete, or mark for deletion. The object as it was last, and whether it is gone.

        `admitted` says that admission has seen the request, in another form. Raises NotFound, Conflict for a failed
        precondition, what admission says.
        """
        of = self._served.cache_of(write.resource)
        await self._served.cache.reach_latest()
        for _ in range(_ATTEMPTS):
            current = of.get(write.namespace, write.name)
            if current is None:
                raise errors.not_found(write.resource.plural, write.resource.group, write.name)
            write.old = self._served.decode(write.resource, current)
            _check_preconditions(write, options)
            if not admitted:
                await self._admission.mutate(write)
                await self._admission.validate(write)
            try:
                return await self._delete(write, current, options)
            except store.Conflict:
                continue
        raise errors.conflict(write.resource.plural, write.resource.group, write.name)

    async def _delete(self, write: Write, current: Entry, options: DeleteOptions) -> tuple[Written, bool]:
        marked = self._served.decode(write.resource, current)
        waits = mark(write, marked, options, self._clock.now())
        if not waits:
            return Written(await self._pipeline.commit.delete(write, current)), True
        stored_form = self._served.to_storage(write.resource, marked)
        update = replace(write, new=marked)
        of = self._served.cache_of(write.resource)
        return await self._pipeline.commit.update(update, of, current, stored_form), False


def mark(write: Write, obj: JsonObject, options: DeleteOptions, now: float) -> bool:
    """Change `obj` into what is stored when its deletion is asked for; whether it has to wait for something.

    Raises Conflict for a namespace that is being emptied already.
    """
    metadata = obj["metadata"]
    grace = 0
    if write.resource.grace_period is not None:
        grace = write.resource.grace_period(obj, options.grace_period)
    if write.resource.qualified_name == "namespaces":
        _mark_namespace(write, obj, now)
        if (obj.get("spec") or {}).get("finalizers"):
            return True
    before = metadata.get("deletionGracePeriodSeconds") or 0
    is_shorter = options.grace_period is not None and grace < before
    if metadata.get("deletionTimestamp") and before > 0 and not is_shorter:
        return True
    finalizers = _collection_finalizers(write, metadata, options)
    if finalizers:
        metadata["finalizers"] = finalizers
    else:
        metadata.pop("finalizers", None)
    if metadata.get("deletionTimestamp"):
        if not is_shorter:
            return bool(finalizers)
        asked_at = parse_time(metadata["deletionTimestamp"]) - before
        metadata["deletionTimestamp"] = format_time(max(asked_at + grace, now) if grace else now)
        metadata["deletionGracePeriodSeconds"] = grace
        return bool(finalizers) or grace > 0
    if not finalizers and grace == 0:
        return False
    metadata["deletionTimestamp"] = format_time(now + grace)
    metadata["deletionGracePeriodSeconds"] = grace
    if metadata.get("generation"):
        metadata["generation"] += 1
    return True


def _mark_namespace(write: Write, obj: JsonObject, now: float) -> None:
    metadata = obj["metadata"]
    emptying = bool((obj.get("spec") or {}).get("finalizers"))
    if not metadata.get("deletionTimestamp"):
        if emptying or metadata.get("finalizers"):
            metadata["deletionTimestamp"] = format_time(now)
            metadata["deletionGracePeriodSeconds"] = 0
            obj.setdefault("status", {})["phase"] = "Terminating"
    elif emptying:
        raise errors.conflict(write.resource.plural, write.resource.group, write.name, _EMPTYING)


def _collection_finalizers(write: Write, metadata: JsonObject, options: DeleteOptions) -> list[str]:
    """The object's finalizers, with those that tell the garbage collector what becomes of dependents."""
    found: list[str] = metadata.get("finalizers") or []
    if write.resource.plural in _NOT_COLLECTED:
        return found
    orphan, foreground = FINALIZER_ORPHAN in found, FINALIZER_FOREGROUND in found
    if options.orphan_dependents is not None:
        orphan, foreground = options.orphan_dependents, False
    elif options.propagation:
        orphan, foreground = options.propagation == "Orphan", options.propagation == "Foreground"
    elif not foreground:
        orphan |= write.resource.orphans_dependents
    kept = [name for name in found if name not in (FINALIZER_ORPHAN, FINALIZER_FOREGROUND)]
    return kept + [FINALIZER_ORPHAN] * orphan + [FINALIZER_FOREGROUND] * foreground


def _check_preconditions(write: Write, options: DeleteOptions) -> None:
    assert write.old is not None
    metadata = write.old["metadata"]
    if options.uid is not None and options.uid != metadata["uid"]:
        raise _failed(
            write,
            f"the UID in the precondition ({options.uid}) does not match the UID in record ({metadata['uid']}). "
            "The object might have been deleted and then recreated",
        )
    revision = metadata["resourceVersion"]
    if options.resource_version is not None and options.resource_version != revision:
        raise _failed(
            write,
            f"the ResourceVersion in the precondition ({options.resource_version}) does not match the "
            f"ResourceVersion in record ({revision}). The object might have been modified",
        )


def _failed(write: Write, why: str) -> Conflict:
    return errors.conflict(write.resource.name, write.resource.group, write.name, why)
