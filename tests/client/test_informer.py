from fakes.api import FakeApi
from pilothouse.api.types.core_v1 import Pod
from pilothouse.client.client import Page, WatchEvent
from pilothouse.client.informer import Informers
from pilothouse.client.key import Key
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.loop import run


def _pod(name: str, namespace: str = "ns", node: str = "") -> dict[str, object]:
    return {"metadata": {"name": name, "namespace": namespace}, "spec": {"nodeName": node}}


def _node(pod: Pod) -> list[str]:
    return [pod.spec.nodeName] if pod.spec.nodeName else []


def test_the_copy_follows_and_callbacks_hear_of_it() -> None:
    async def main(clock: LoopClock, chance: Chance) -> list[str]:
        api = FakeApi(clock)
        story: list[str] = []

        def tell(old: Pod | None, new: Pod | None) -> None:
            story.append(f"{old.metadata.name if old else '-'} {new.metadata.name if new else '-'}")

        api.add("v1", "Pod", _pod("a"))
        async with Tasks() as tasks:
            informer = Informers(api.client(), clock, tasks).of(Pod)
            informer.on_change(tell)
            assert not informer.has_synced
            await informer.synced()
            api.add("v1", "Pod", _pod("b", "other"))
            api.put("pods", "ns", "a", {"metadata": {"labels": {"x": "y"}}})
            await clock.sleep(1)
            a = informer.lister.get(Key("ns", "a"))
            assert a is not None
            assert a.metadata.labels == {"x": "y"}
            assert [pod.metadata.name for pod in informer.lister.list()] == ["a", "b"]
            assert [pod.metadata.name for pod in informer.lister.list("other")] == ["b"]
            api.remove("pods", "ns", "a")
            await clock.sleep(1)
            assert informer.lister.get(Key("ns", "a")) is None
            assert informer.lister.list("ns") == []
            informer.on_change(lambda *_: story.append("late"))
        return story

    assert run(main) == ["- a", "- b", "a a", "a -", "late"]


def test_a_relist_tells_only_differences() -> None:
    async def main(clock: LoopClock, chance: Chance) -> list[str]:
        api = FakeApi(clock)
        for name in ("a", "b", "c"):
            api.add("v1", "Pod", _pod(name))
        story: list[str] = []
        async with Tasks() as tasks:
            informer = Informers(api.client(), clock, tasks).of(Pod)
            await informer.synced()
            informer.on_change(lambda old, new: story.append(
                f"{old.metadata.uid if old else '-'} {new.metadata.uid if new else '-'}"))  # fmt: skip
            story.clear()
            await clock.sleep(1)
            api.remove("pods", "ns", "a")
            api.remove("pods", "ns", "b")
            api.add("v1", "Pod", _pod("b"))
            api.put("pods", "ns", "c", {"spec": {"nodeName": "n"}})
            api.forget()
            api.cut()
            await clock.sleep(5)
        return story

    assert run(main) == ["uid-3 uid-3", "uid-2 -", "- uid-4", "uid-1 -"]


def test_an_index_follows_changes() -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        api = FakeApi(clock)
        api.add("v1", "Pod", _pod("a", node="n1"))
        async with Tasks() as tasks:
            informer = Informers(api.client(), clock, tasks).of(Pod)
            await informer.synced()
            informer.add_index("node", _node)
            informer.add_index("node", _node)

            def names(node: str) -> list[str]:
                return [pod.metadata.name for pod in informer.lister.by_index("node", node)]

            assert names("n1") == ["a"]
            api.add("v1", "Pod", _pod("b", node="n1"))
            api.add("v1", "Pod", _pod("c"))
            await clock.sleep(1)
            assert names("n1") == ["a", "b"]
            api.put("pods", "ns", "a", {"spec": {"nodeName": "n2"}})
            api.put("pods", "ns", "c", {"spec": {"nodeName": "n2"}})
            await clock.sleep(1)
            assert (names("n1"), names("n2")) == (["b"], ["a", "c"])
            api.remove("pods", "ns", "b")
            await clock.sleep(1)
            assert names("n1") == []
            held = informer.lister.by_index("node", "n2")[0]
            assert held is informer.lister.get(Key("ns", "a"))

    run(main)


def test_informers_are_shared() -> None:
    async def main(clock: LoopClock, chance: Chance) -> int:
        api = FakeApi(clock)
        async with Tasks() as tasks:
            informers = Informers(api.client(), clock, tasks, chance)
            assert informers.of(Pod) is informers.of(Pod)
            assert informers.of(Pod) is not informers.of(Pod, namespace="ns")
            await informers.synced()
            return len(api.calls)

    assert run(main) == 2


def test_an_informer_is_known_once_asked_for_and_a_sink_can_do_without_one() -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        api = FakeApi(clock)
        api.add("v1", "Pod", _pod("a"))
        story: list[str] = []

        class Told:
            def replace(self, page: Page[Pod]) -> None:
                story.extend(view.metadata.name for view in page.items)

            def change(self, event: WatchEvent[Pod]) -> None:
                story.append(f"{event.type} {event.object.metadata.name}")

        async with Tasks() as tasks:
            informers = Informers(api.client(), clock, tasks)
            assert informers.known(Pod) is None
            task = informers.reflect_metadata(Pod, Told())
            await clock.sleep(1)
            api.add("v1", "Pod", _pod("b"))
            await clock.sleep(1)
            task.cancel()
            await clock.sleep(1)
            api.add("v1", "Pod", _pod("c"))
            await clock.sleep(1)
            assert informers.known(Pod) is None
            assert informers.of(Pod, fields="spec.nodeName=n") is not informers.known(Pod)
            assert informers.of(Pod) is informers.known(Pod)
        assert story == ["a", "ADDED b"]

    run(main)
