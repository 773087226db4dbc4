"""Stage: strategy. What a path may not change is put back, and the generation counts changes of what is asked for.

The kinds say what is theirs (`prepare_for_create`, `prepare_for_update`, a subresource's `prepare`); common to all is
here. Source: registry/rest/{create,update}.go and the strategies below pkg/registry.
"""

from pilothouse.api.machinery.resource import Stamp
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.pipeline.write import Write
from pilothouse.runtime.clock import Instant

_UNCOUNTED = frozenset({"binding"})
"""Paths whose change is no new request of the user."""
_NOT_COUNTED = frozenset({"metadata", "status", "kind", "apiVersion"})


def prepare_for_create(write: Write) -> None:
    """Bring a new object into the state every object begins in."""
    assert write.new is not None
    write.resource.prepare_for_create(write.new)
    if write.resource.generation:
        write.new["metadata"]["generation"] = 1
    else:
        write.new["metadata"].pop("generation", None)


def prepare_for_update(write: Write) -> None:
    """Put back what this path does not change, and count the change."""
    new, old = write.new, write.old
    assert new is not None
    assert old is not None
    whole = write.subresource is None or write.subresource.scale is not None
    if whole:
        write.resource.prepare_for_update(new, old)
    elif write.subresource is not None and write.subresource.prepare is not None:
        write.subresource.prepare(new, old)
    else:
        _keep_all_but_status(new, old)
    if not write.resource.generation or write.part in _UNCOUNTED:
        return
    counted = write.resource.counted_metadata if whole else ()
    if _asks_for_something_else(new, old) or any(_differs(new, old, name) for name in counted):
        new["metadata"]["generation"] = (old["metadata"].get("generation") or 0) + 1


def _keep_all_but_status(new: JsonObject, old: JsonObject) -> None:
    for name in [name for name in new if name not in _NOT_COUNTED and name not in old]:
        del new[name]
    for name, value in old.items():
        if name not in _NOT_COUNTED:
            new[name] = value
    owners = old["metadata"].get("ownerReferences")
    if owners is not None:
        new["metadata"]["ownerReferences"] = owners
    else:
        new["metadata"].pop("ownerReferences", None)


def stamp(write: Write, now: Instant) -> None:
    """Note when and by whom, where the kind keeps that."""
    note = write.resource.stamp
    if note is not None and write.new is not None:
        user = write.exchange.user
        note(write.new, write.old, Stamp(now, user.name, user.uid, user.groups, user.extra))


def _differs(new: JsonObject, old: JsonObject, name: str) -> bool:
    """Whether a map of the metadata has changed; absent and empty are the same."""
    return (new["metadata"].get(name) or {}) != (old["metadata"].get(name) or {})


def _asks_for_something_else(new: JsonObject, old: JsonObject) -> bool:
    names = [*new, *(name for name in old if name not in new)]
    return any(new.get(name) != old.get(name) for name in names if name not in _NOT_COUNTED)
