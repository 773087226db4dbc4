"""The encrypting store is a store; what lies in the other is not readable; keys are changed while it goes on."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from pilothouse.apiserver.encryption.configuration import read_configuration
from pilothouse.apiserver.encryption.framework import OWN, Encryption, Wardrobe
from pilothouse.apiserver.encryption.store import EncryptingStore, Undecipherable, encrypting
from pilothouse.runtime.clock import Clock, SystemClock
from pilothouse.store.contract import StoreContract
from pilothouse.store.interface import Conflict, Store
from pilothouse.store.memory import MemoryStore

KEY = "core/secrets/default/a"


def configured(*providers: tuple[str, str], resources: str = "secrets") -> Encryption:
    lines = ["apiVersion: apiserver.config.k8s.io/v1", "kind: EncryptionConfiguration", "resources:"]
    lines += [f"- resources: ['{resources}']", "  providers:"]
    for provider, key in providers:
        secret = base64.b64encode(key.encode() * 32).decode()
        keys = f"{{keys: [{{name: {key}, secret: {secret}}}]}}" if key else "{}"
        lines.append(f"  - {provider}: {keys}")
    return read_configuration("\n".join(lines))


class TestEncryptingStore(StoreContract):
    def store(self, clock: Clock, directory: Path) -> AbstractAsyncContextManager[Store]:
        @asynccontextmanager
        async def made() -> AsyncIterator[Store]:
            async with MemoryStore(clock) as inner:
                yield encrypting(inner, configured(("secretbox", "a"), resources="*.*"))

        return made()


def test_only_what_was_chosen_is_encrypted() -> None:
    async def main() -> None:
        async with MemoryStore(SystemClock()) as inner:
            store = encrypting(inner, configured(("aesgcm", "a")))
            await store.create(KEY, b"hidden")
            await store.create("core/configmaps/default/a", b"seen")
            hidden, seen = await inner.get(KEY), await inner.get("core/configmaps/default/a")
            assert hidden is not None
            assert hidden.value.startswith(b"k8s:enc:aesgcm:v1:a:")
            assert b"hidden" not in hidden.value
            assert seen is not None
            assert seen.value == b"seen"

    asyncio.run(main())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([("identity", "")], [("aescbc", "a"), ("identity", "")]),
        ([("aescbc", "a")], [("secretbox", "b"), ("aescbc", "a")]),
        ([("aesgcm", "a")], [("aesgcm", "b"), ("aesgcm", "a")]),
        ([("secretbox", "a")], [("identity", ""), ("secretbox", "a")]),
    ],
)
def test_keys_change_without_a_moment_in_which_something_cannot_be_read(
    before: list[tuple[str, str]], after: list[tuple[str, str]]
) -> None:
    async def main() -> None:
        async with MemoryStore(SystemClock()) as inner:
            await encrypting(inner, configured(*before)).create(KEY, b"value")
            store = encrypting(inner, configured(*after))
            assert isinstance(store, EncryptingStore)
            record = await store.get(KEY)
            assert record is not None
            assert record.value == b"value"
            assert store.is_stale(KEY)
            await store.update(KEY, b"value", expected=record.revision)
            assert not store.is_stale(KEY)
            last = await encrypting(inner, configured(after[0])).get(KEY)
            assert last is not None
            assert last.value == b"value"

    asyncio.run(main())


@pytest.mark.parametrize("providers", [[("aesgcm", "b")], [("aescbc", "a")], [("identity", "")]])
def test_what_no_key_opens_is_told_by_its_name(providers: list[tuple[str, str]]) -> None:
    async def main() -> None:
        async with MemoryStore(SystemClock()) as inner:
            record = await encrypting(inner, configured(("aesgcm", "a"))).create(KEY, b"value")
            store = encrypting(inner, configured(*providers))
            with pytest.raises(Undecipherable, match=f"unable to transform key '{KEY}': "):
                await store.list("")
            with pytest.raises(Undecipherable):
                async with store.watch("", after=record.revision - 1) as events:
                    await anext(events)

    asyncio.run(main())


def test_what_a_write_takes_the_place_of_is_decrypted_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """So a value that no key opens any more is no trouble, once it is overwritten."""
    opened: list[bytes] = []
    take_off = Wardrobe.take_off

    def counting(wardrobe: Wardrobe, value: bytes, context: bytes) -> tuple[bytes, bool]:
        opened.append(value)
        return take_off(wardrobe, value, context)

    monkeypatch.setattr(Wardrobe, "take_off", counting)

    async def main() -> None:
        async with MemoryStore(SystemClock()) as inner:
            lost = await encrypting(inner, configured(("aesgcm", "b"))).create(KEY, b"lost")
            store = encrypting(inner, configured(("aesgcm", "a")))
            async with store.watch("", after=lost.revision) as events:
                second = await store.update(KEY, b"second", expected=lost.revision)
                third = await store.update(KEY, b"third", expected=second.revision)
                first_told, then_told = await anext(events), await anext(events)
            assert (first_told.record, then_told.record) == (second, third)
            assert len(opened) == 2
            assert then_told.previous == second
            assert len(opened) == 3
            with pytest.raises(Undecipherable):
                first_told.previous  # noqa: B018 - asking is what raises

    asyncio.run(main())


def test_a_conflict_shows_what_is_there() -> None:
    async def main() -> None:
        async with MemoryStore(SystemClock()) as inner:
            store = encrypting(inner, configured(("aesgcm", "a")))
            record = await store.create(KEY, b"value")
            for write in (
                store.update(KEY, b"other", expected=record.revision - 1),
                store.delete(KEY, expected=record.revision - 1),
            ):
                with pytest.raises(Conflict) as refused:
                    await write
                assert refused.value.current == record

    asyncio.run(main())


def test_what_servers_keep_for_themselves_stays_plain() -> None:
    async def main() -> None:
        async with MemoryStore(SystemClock()) as inner:
            store = encrypting(inner, configured(("aescbc", "a"), resources="*.*"))
            await inner.create(f"{OWN}masterleases/192.0.2.1", b"")
            assert [record.value for record in (await store.list("")).records] == [b""]
            await store.create(f"{OWN}masterleases/192.0.2.2", b"seen")
            kept = await inner.get(f"{OWN}masterleases/192.0.2.2")
            assert kept is not None
            assert kept.value == b"seen"

    asyncio.run(main())
