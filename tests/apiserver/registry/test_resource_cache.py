"""Who hears of a change: those whose field it has or had, in the order in which they came; and who cannot bear it."""

from typing import Any

import orjson
import pytest

from pilothouse.api.core.pod import RESOURCE
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.registry.resource_cache import Change, ResourceCache
from pilothouse.store.interface import Record


def put(cache: ResourceCache, name: str, node: str, revision: int) -> None:
    obj: dict[str, Any] = {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"nodeName": node},
    }
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


def test_an_observer_that_crashes_keeps_nothing_from_others(caplog: pytest.LogCaptureFixture) -> None:
    """Nor itself from what comes next: neither when it begins, nor when the list comes, nor later."""
    cache, heard = ResourceCache(RESOURCE), list[tuple[str, str]]()
    put(cache, "bad-1", "n", 2)
    put(cache, "good-1", "n", 3)

    def told(who: str, obj: JsonObject) -> None:
        name = obj["metadata"]["name"]
        if who.startswith("weak") and name.startswith("bad"):
            raise KeyError(name)
        heard.append((who, name))

    for who in ("weak observer", "observer"):
        cache.observe(lambda _, obj, who=who: told(who, obj))  # type: ignore[misc]
    for who in ("weak follower", "follower"):
        cache.follow(lambda _, obj, who=who: told(who, obj))  # type: ignore[misc]
    cache.watch(lambda change: heard.append(("watcher", change.entry.name)))
    strong = ["observer", "follower"]
    weak = ["weak observer", "weak follower"]
    assert {who for who, name in heard if name == "bad-1"} == {*strong}
    assert {who for who, name in heard if name == "good-1"} == {*strong, *weak}
    assert cache.crashes == 2
    obj: JsonObject = {"metadata": {"name": "bad-2", "namespace": "default"}, "spec": {"nodeName": "n"}}
    cache.load(Record("core/pods/default/bad-2", orjson.dumps(obj), 4, 4), obj)
    put(cache, "bad-3", "n", 5)
    put(cache, "good-2", "n", 6)
    assert [who for who, name in heard if name == "bad-2"] == strong
    assert [who for who, name in heard if name == "bad-3"] == [*strong, "watcher"]
    assert [who for who, name in heard if name == "good-2"] == [
        "weak observer",
        "observer",
        "weak follower",
        "follower",
        "watcher",
    ]
    assert cache.crashes == 6
    assert "KeyError: 'bad-3'" in caplog.text
    assert "core/pods/default/bad-3" in str([vars(record)["facts"] for record in caplog.records])
