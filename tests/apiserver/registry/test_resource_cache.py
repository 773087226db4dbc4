"""Who hears of a change: those whose field it has or had, in the order in which they came."""

from typing import Any

import orjson

from pilothouse.api.core.pod import RESOURCE
from pilothouse.apiserver.registry.resource_cache import Change, ResourceCache
from pilothouse.store.interface import Record


def put(cache: ResourceCache, name: str, node: str, revision: int) -> None:
    obj: dict[str, Any] = {"metadata": {"name": name, "namespace": "default"}, "spec": {"nodeName": node}}
    key = f"core/pods/default/{name}"
    cache.apply(key, revision, Record(key, orjson.dumps(obj), revision, 1), obj)


def test_who_wants_a_field_hears_of_what_has_or_had_it() -> None:
    cache, heard = ResourceCache(RESOURCE), list[tuple[str, str]]()

    def hear(who: str, *wanted: str) -> Any:
        def tell(change: Change) -> None:
            heard.append((who, change.entry.name))

        return cache.watch(tell, ("spec.nodeName", wanted[0]) if wanted else None)

    hear("first of n1", "n1")
    hear("all")
    end = hear("n2", "n2")
    hear("second of n1", "n1")
    put(cache, "a", "n1", 2)
    assert heard == [("first of n1", "a"), ("all", "a"), ("second of n1", "a")]
    heard.clear()
    put(cache, "a", "n2", 3)
    assert [who for who, _ in heard] == ["first of n1", "all", "n2", "second of n1"]
    heard.clear()
    end()
    end()
    cache.apply("core/pods/default/a", 4, None, None)
    assert [who for who, _ in heard] == ["all"]
