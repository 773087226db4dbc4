from itertools import pairwise

import pytest

from fakes.api import FakeApi
from pilothouse.api.machinery import errors
from pilothouse.api.types.core_v1 import Pod
from pilothouse.client.client import Page, WatchEvent
from pilothouse.client.reflector import Reflector, Selection
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.loop import run


class Seen:
    def __init__(self) -> None:
        self.story: list[str] = []

    def replace(self, page: Page[Pod]) -> None:
        self.story.append(f"all {' '.join(pod.metadata.name for pod in page.items)}".strip())

    def change(self, event: WatchEvent[Pod]) -> None:
        self.story.append(f"{event.type} {event.object.metadata.name}")


def _pod(name: str) -> dict[str, object]:
    return {"metadata": {"name": name, "namespace": "ns"}}


def test_a_list_then_changes_then_a_new_watch_from_there() -> None:
    async def main(clock: LoopClock, chance: Chance) -> list[str]:
        api, seen = FakeApi(clock), Seen()
        api.add("v1", "Pod", _pod("a"))
        async with Tasks() as tasks:
            reflector = Reflector(api.client(), Selection(Pod), seen, clock, chance)
            tasks.spawn(reflector.run(), name="reflector")
            await clock.sleep(1)
            api.add("v1", "Pod", _pod("b"))
            await clock.sleep(1)
            api.cut()
            api.remove("pods", "ns", "a")
            await clock.sleep(1)
            assert reflector.revision == str(api.revision)
        assert [target for _, target in api.calls] == ["/api/v1/pods?resourceVersion=0"]
        return seen.story

    assert run(main) == ["all a", "ADDED b", "DELETED a"]


def test_after_410_everything_is_read_again() -> None:
    async def main(clock: LoopClock, chance: Chance) -> list[str]:
        api, seen = FakeApi(clock), Seen()
        async with Tasks() as tasks:
            tasks.spawn(Reflector(api.client(), Selection(Pod), seen, clock, chance).run(), name="reflector")
            await clock.sleep(10)
            api.fail = lambda *_: errors.ServiceUnavailable("not now")
            api.cut()
            await clock.sleep(10)
            api.add("v1", "Pod", _pod("a"))
            api.forget()
            api.fail = lambda *_: None
            await clock.sleep(60)
        return seen.story

    assert run(main) == ["all", "all a"]


def test_failures_wait_longer_and_longer_and_replay() -> None:
    async def main(clock: LoopClock, chance: Chance) -> list[float]:
        api = FakeApi(clock)
        times: list[float] = []

        def refuse(method: str, path: str) -> errors.StatusError:
            times.append(clock.monotonic())
            return errors.forbidden("pods", "", "", "no")

        api.fail = refuse
        async with Tasks() as tasks:
            tasks.spawn(Reflector(api.client(), Selection(Pod), Seen(), clock, chance).run(), name="reflector")
            await clock.sleep(300)
        return times

    times = run(main, seed=3)
    gaps = [after - before for before, after in pairwise(times)]
    assert 0.8 <= gaps[0] <= 1.6
    assert 1.6 <= gaps[1] <= 3.2
    assert all(30 <= gap <= 60 for gap in gaps[6:])
    assert times == run(main, seed=3)


def test_a_list_refused_as_too_old_is_asked_for_the_newest() -> None:
    async def main(clock: LoopClock, chance: Chance) -> list[str]:
        api, seen = FakeApi(clock), Seen()
        api.fail = lambda *_: errors.Expired("too old") if len(api.calls) == 1 else None
        async with Tasks() as tasks:
            tasks.spawn(Reflector(api.client(), Selection(Pod), seen, clock, chance).run(), name="reflector")
            await clock.sleep(10)
        return [target for _, target in api.calls]

    assert run(main) == ["/api/v1/pods?resourceVersion=0", "/api/v1/pods"]


def test_a_server_that_fell_back_is_asked_for_the_newest() -> None:
    async def main(clock: LoopClock, chance: Chance) -> list[str]:
        api, seen = FakeApi(clock), Seen()
        api.add("v1", "Pod", _pod("a"))

        def restored(*_: object) -> errors.StatusError | None:
            if "resourceVersion=" not in api.calls[-1][1]:
                return None
            causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
            return errors.Timeout("Timeout: Too large resource version: 9, current: 1", details={"causes": causes})

        async with Tasks() as tasks:
            tasks.spawn(Reflector(api.client(), Selection(Pod), seen, clock, chance).run(), name="reflector")
            await clock.sleep(1)
            api.fail = restored
            api.cut()
            await clock.sleep(10)
            api.fail = lambda *_: None
            await clock.sleep(60)
        return [target for _, target in api.calls]

    assert run(main) == ["/api/v1/pods?resourceVersion=0", "/api/v1/pods"], "the newest, not what is of a revision"


@pytest.mark.parametrize("selection", [Selection(Pod, "other"), Selection(Pod, labels="app=x"),
                                       Selection(Pod, fields="spec.nodeName=n")])  # fmt: skip
def test_only_what_is_selected(selection: Selection[Pod]) -> None:
    async def main(clock: LoopClock, chance: Chance) -> list[str]:
        api, seen = FakeApi(clock), Seen()
        api.add("v1", "Pod", _pod("a"))
        async with Tasks() as tasks:
            tasks.spawn(Reflector(api.client(), selection, seen, clock, chance).run(), name="reflector")
            await clock.sleep(1)
            api.add("v1", "Pod", _pod("b"))
            api.add("v1", "Pod", {"metadata": {"name": "c", "namespace": "other", "labels": {"app": "x"}},
                                  "spec": {"nodeName": "n"}})  # fmt: skip
            await clock.sleep(1)
        return seen.story

    assert run(main) == ["all", "ADDED c"]
