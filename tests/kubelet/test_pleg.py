"""How changes in the runtime are learnt of: by comparing listings, or by its events."""

from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.cri.interface import CriUnavailable, Sandbox
from pilothouse.kubelet.pleg import Pleg
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing import loop
from pilothouse.testing.fake_cri import FakeCri


@dataclass(slots=True)
class Runtime(FakeCri):
    """Counts its listings; can be away, and can tell of events."""

    away: bool = False
    listings: list[float] = field(default_factory=list)
    news: list[list[str]] = field(default_factory=list)

    async def sandboxes(self, uid: str = "") -> list[Sandbox]:
        if self.away:
            raise CriUnavailable("UNAVAILABLE", "connection refused")
        self.listings.append(self.clock.monotonic())
        return await FakeCri.sandboxes(self, uid)

    async def events(self) -> AsyncIterator[str]:
        for uid in self.news.pop(0) if self.news else []:
            yield uid
        if not self.news:
            await self.clock.sleep(1e6)


def sandbox(name: str) -> JsonObject:
    return {
        "metadata": {"name": name, "namespace": "default", "uid": f"uid-{name}", "attempt": 0}, "labels": {},
        "annotations": {}, "linux": {"security_context": {"namespace_options": {"network": 0}}},
    }  # fmt: skip


def run(story: Callable[[Clock, Runtime, Pleg, list[str]], Coroutine[Any, Any, None]]) -> None:
    async def main(clock: Clock, _chance: object) -> None:
        runtime, changed = Runtime(clock), list[str]()
        await story(clock, runtime, Pleg(runtime, clock, changed.append), changed)

    loop.run(main)


async def container(runtime: Runtime, sandbox_id: str, name: str) -> str:
    config = {
        "metadata": {"name": "app", "attempt": 0}, "image": {"image": "app:1"}, "annotations": {},
        "labels": {"io.kubernetes.pod.uid": f"uid-{name}"}, "log_path": "app/0.log",
    }  # fmt: skip
    return await runtime.create_container(sandbox_id, config, {"log_directory": "/logs"})


def test_whose_sandbox_or_container_changes_is_called() -> None:
    async def story(clock: Clock, runtime: Runtime, pleg: Pleg, changed: list[str]) -> None:
        assert not await pleg.look()
        first, second = await runtime.run_sandbox(sandbox("a")), await runtime.run_sandbox(sandbox("b"))
        assert await pleg.look()
        made = await container(runtime, first, "a")
        await pleg.look()
        await runtime.start_container(made)
        await pleg.look()
        await pleg.look()
        await runtime.remove_sandbox(second)
        await pleg.look()
        assert changed == ["uid-a", "uid-b", "uid-a", "uid-a", "uid-b"]

    run(story)


def test_a_container_without_a_sandbox_is_nobodys() -> None:
    async def story(clock: Clock, runtime: Runtime, pleg: Pleg, changed: list[str]) -> None:
        await container(runtime, "gone", "a")
        assert not await pleg.look()

    run(story)


def test_a_runtime_that_does_not_answer_changes_nothing_and_is_noticed() -> None:
    async def story(clock: Clock, runtime: Runtime, pleg: Pleg, changed: list[str]) -> None:
        await runtime.run_sandbox(sandbox("a"))
        await pleg.look()
        seen, runtime.away = clock.now(), True
        await clock.sleep(100)
        assert not await pleg.look()
        assert pleg.last_seen == seen
        runtime.away = False
        assert not await pleg.look()
        assert pleg.last_seen == seen + 100
        assert changed == ["uid-a"]

    run(story)


def test_listings_come_faster_after_a_change() -> None:
    async def story(clock: Clock, runtime: Runtime, pleg: Pleg, changed: list[str]) -> None:
        async with Tasks() as tasks:
            tasks.spawn(pleg.run(), name="pleg")
            await clock.sleep(10.5)
            assert len(runtime.listings) == 11
            await runtime.run_sandbox(sandbox("a"))
            runtime.listings.clear()
            await clock.sleep(10)
            assert 36 <= len(runtime.listings) <= 39

    run(story)


def test_events_replace_most_listings_while_they_come() -> None:
    async def story(clock: Clock, runtime: Runtime, pleg: Pleg, changed: list[str]) -> None:
        runtime.news = [["uid-a"], ["uid-b"]]
        async with Tasks() as tasks:
            tasks.spawn(pleg.listen(), name="events")
            await clock.sleep(5)
            assert changed == ["uid-a", "uid-b"]
            tasks.spawn(pleg.run(), name="pleg")
            await clock.sleep(119)
            assert len(runtime.listings) == 2

    run(story)


def test_a_runtime_without_events_is_left_alone() -> None:
    async def story(clock: Clock, runtime: Runtime, pleg: Pleg, changed: list[str]) -> None:
        await Pleg(FakeCri(clock), clock, changed.append).listen()
        assert changed == []

    run(story)


def test_a_runtime_that_is_silent_for_long_is_complained_of() -> None:
    async def story(clock: Clock, runtime: Runtime, pleg: Pleg, changed: list[str]) -> None:
        runtime.away = True
        await clock.sleep(180)
        await pleg.look()
        assert pleg.complaint() == ""
        await clock.sleep(1)
        assert pleg.complaint() == "pleg was last seen active 3m1s ago; threshold is 3m0s"
        assert pleg.unhealthy() == f"PLEG is not healthy: {pleg.complaint()}"
        runtime.away = False
        await pleg.look()
        assert pleg.complaint() == pleg.unhealthy() == ""

    run(story)
