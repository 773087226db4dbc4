import asyncio
from typing import Any

import orjson

from fakes.served import schemas
from pilothouse.api.catalogue import builtin
from pilothouse.apiserver.encryption.ciphers.aesgcm import AesGcm
from pilothouse.apiserver.encryption.framework import Coat, Encryption, Wardrobe
from pilothouse.apiserver.encryption.store import encrypting
from pilothouse.apiserver.registry.watch_cache import WatchCache
from pilothouse.apiserver.server import ApiServer
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.store.memory import MemoryStore
from pilothouse.testing.loop import run

KEY = "core/configmaps/default/a"


def config_map(**labels: str) -> dict[str, Any]:
    return {
        "kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "a", "namespace": "default", "labels": labels},
    }  # fmt: skip


async def shown(cache: WatchCache, store: MemoryStore, value: bytes) -> Any:
    """The labels of what the store was given, as the cache has them."""
    current = await store.get(KEY)
    if current is None:
        written = await store.create(KEY, value)
    else:
        written = await store.update(KEY, value, expected=current.revision)
    await cache.reach(written.revision)
    return cache.of("", "configmaps").entries[KEY].labels


def test_what_this_server_writes_is_not_decoded_when_it_comes_back() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with MemoryStore(clock) as store, ApiServer(store, builtin(), schemas(), clock, chance) as server:
            ours, others = config_map(by="us"), config_map(by="others")
            ours_as_bytes = orjson.dumps(ours)
            with server.cache.expecting(KEY, ours_as_bytes, ours):
                assert await shown(server.cache, store, orjson.dumps(others)) == {"by": "others"}, "they were first"
                assert await shown(server.cache, store, ours_as_bytes) is ours["metadata"]["labels"]
            again = await shown(server.cache, store, ours_as_bytes)
            assert again == {"by": "us"}
            assert again is not ours["metadata"]["labels"], "what is written is not kept"

    run(story)


def test_of_two_who_write_one_key_each_takes_back_its_own() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with MemoryStore(clock) as store, ApiServer(store, builtin(), schemas(), clock, chance) as server:
            one, two = config_map(n="1"), config_map(n="2")
            first = server.cache.expecting(KEY, orjson.dumps(one), one)
            with first, server.cache.expecting(KEY, orjson.dumps(two), two):
                assert await shown(server.cache, store, orjson.dumps(one)) == {"n": "1"}
                assert await shown(server.cache, store, orjson.dumps(two)) is two["metadata"]["labels"]

    run(story)


def test_what_no_key_opens_is_waited_for_not_died_of() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with MemoryStore(clock) as inner:
            ours, theirs = encrypting(inner, configured("a")), encrypting(inner, configured("b"))
            async with ApiServer(ours, builtin(), schemas(), clock, chance) as server:
                cache = server.cache
                strange = await theirs.create("core/secrets/default/a", orjson.dumps(config_map()))
                await clock.sleep(10)
                assert cache.trouble == "unable to transform key 'core/secrets/default/a': no matching prefix found"
                assert cache.revision < strange.revision
                await inner.delete(strange.key, expected=strange.revision)
                await clock.sleep(10)
                assert cache.trouble == ""
                assert await shown(cache, inner, orjson.dumps(config_map(by="us"))) == {"by": "us"}

    run(story)


def configured(key: str) -> Encryption:
    coat = Coat(f"k8s:enc:aesgcm:v1:{key}:".encode(), AesGcm(key.encode() * 32))
    return Encryption({("", "secrets"): Wardrobe((coat,))})


def test_a_revision_that_comes_as_the_wait_for_it_ends_has_come() -> None:
    """As after a loop that stood still: the timer rings, and what was waited for is there."""

    async def story(clock: LoopClock, chance: Chance) -> None:
        async with MemoryStore(clock) as store, ApiServer(store, builtin(), schemas(), clock, chance) as server:
            begin, awaited = clock.monotonic(), server.cache.revision + 1

            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(server.cache.reach(awaited))
                await clock.sleep(0)
                clock.call_later(3, lambda: server.cache._reached(awaited))
            assert clock.monotonic() - begin == 3

    run(story)
