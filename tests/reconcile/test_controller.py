from collections.abc import Callable

import pytest

from fakes.api import FakeApi
from pilothouse.api.machinery import errors
from pilothouse.api.machinery.view import View
from pilothouse.api.types.apps_v1 import Deployment, ReplicaSet
from pilothouse.api.types.core_v1 import Pod
from pilothouse.client.client import Client
from pilothouse.client.informer import Informers
from pilothouse.client.key import Key
from pilothouse.reconcile.controller import EVENTS, Again, Controller, Tools, Watch, itself, owner, rule, selecting
from pilothouse.reconcile.runner import run_all
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.loop import run

Story = list[tuple[float, str]]
Answer = Callable[[Key], Again | None]


class Teller(Controller):
    """Writes down what it is asked to reconcile."""

    name = "teller-controller"
    watches = (
        Watch(ReplicaSet, itself),
        Watch(Pod, owner(ReplicaSet)),
        Watch(Pod, selecting(ReplicaSet)),
    )

    def __init__(self, tools: Tools, story: Story, answer: Answer) -> None:
        super().__init__(tools)
        self.story = story
        self.answer = answer
        self.at_work: list[Key] = []
        self.seen = 0

    def observe(self, old: View | None, new: View | None) -> None:
        self.seen += 1

    async def reconcile(self, key: Key) -> Again | None:
        assert key not in self.at_work
        self.at_work.append(key)
        await self.clock.sleep(0.1)
        self.at_work.remove(key)
        self.story.append((round(self.clock.monotonic(), 3), str(key)))
        return self.answer(key)


def _quiet(_: object) -> None:
    return None


def _run(
    before: Callable[[FakeApi], object],
    after: Callable[[FakeApi], object] = _quiet,
    answer: Answer = _quiet,
    seconds: float = 10,
) -> Story:
    story: Story = []

    async def main(clock: LoopClock, chance: Chance) -> None:
        api = FakeApi(clock)
        before(api)
        async with Tasks() as tasks:
            (controller,) = run_all(
                [Teller], api.client, clock, chance, tasks, make=lambda _, tools: Teller(tools, story, answer)
            )
            await clock.sleep(2)
            after(api)
            await clock.sleep(seconds)
            assert isinstance(controller, Teller)
            assert controller.queue.idle()
            assert controller.seen > 0

    run(main)
    return story


def _set(name: str, **labels: str) -> dict[str, object]:
    return {"metadata": {"name": name, "namespace": "ns"}, "spec": {"selector": {"matchLabels": labels}}}


def _pod(name: str, controller: tuple[str, str] | None = None, **labels: str) -> dict[str, object]:
    meta: dict[str, object] = {"name": name, "namespace": "ns", "labels": labels}
    if controller:
        api_version, kind = controller
        reference = {"apiVersion": api_version, "kind": kind, "name": "web", "uid": "u", "controller": True}
        meta["ownerReferences"] = [{**reference, "name": "other", "controller": False}, reference]
    return {"metadata": meta}


def test_what_is_there_already_is_reconciled_once_all_is_known() -> None:
    def before(api: FakeApi) -> None:
        api.add("apps/v1", "ReplicaSet", _set("a", app="a"))
        api.add("apps/v1", "ReplicaSet", _set("b", app="b"))
        api.add("v1", "Pod", _pod("p", app="b"))

    assert _run(before) == [(0.1, "ns/a"), (0.1, "ns/b")]


@pytest.mark.parametrize(
    ("pod", "keys"),
    [
        (_pod("p", ("apps/v1", "ReplicaSet"), app="a"), ["ns/web"]),
        (_pod("p", ("extensions/v1", "ReplicaSet"), app="a"), []),
        (_pod("p", ("apps/v1", "StatefulSet"), app="a"), []),
        (_pod("p", app="a"), ["ns/a"]),
        (_pod("p", app="c"), []),
    ],
    ids=["its controller", "another group", "another kind", "an orphan's admirers", "nobody's"],
)
def test_a_change_concerns_the_right_keys(pod: dict[str, object], keys: list[str]) -> None:
    def before(api: FakeApi) -> None:
        api.add("apps/v1", "ReplicaSet", _set("a", app="a"))
        api.add("apps/v1", "ReplicaSet", _set("b", app="b"))

    def after(api: FakeApi) -> None:
        api.add("v1", "Pod", pod)

    assert [key for when, key in _run(before, after) if when > 2] == keys


def test_a_change_concerns_who_had_it_before_as_well() -> None:
    def before(api: FakeApi) -> None:
        api.add("apps/v1", "ReplicaSet", _set("a", app="a"))
        api.add("apps/v1", "ReplicaSet", _set("b", app="b"))
        api.add("v1", "Pod", _pod("p", app="a"))

    def after(api: FakeApi) -> None:
        api.put("pods", "ns", "p", {"metadata": {"labels": {"app": "b"}}})

    assert [key for when, key in _run(before, after) if when > 2] == ["ns/a", "ns/b"]


def test_a_change_is_observed_once_however_many_keys_are_asked_of_it() -> None:
    async def main(clock: LoopClock, chance: Chance) -> int:
        api = FakeApi(clock)
        async with Tasks() as tasks:
            (controller,) = run_all(
                [Teller], api.client, clock, chance, tasks, make=lambda _, tools: Teller(tools, [], _quiet)
            )
            await clock.sleep(1)
            for name in ("a", "b", "c"):
                api.add("v1", "Pod", _pod(name))
            await clock.sleep(1)
            assert isinstance(controller, Teller)
            return controller.seen

    assert run(main) == 3


def test_again_comes_after_its_time() -> None:
    answers = [Again(5), Again(7), None]
    story = _run(lambda api: api.add("apps/v1", "ReplicaSet", _set("a")), answer=lambda _: answers.pop(0), seconds=30)
    assert [when for when, _ in story] == [0.1, 5.2, 12.3]


@pytest.mark.parametrize("error", [errors.conflict("pods", "", "a"), ConnectionResetError("gone"), KeyError("a fault")])
def test_a_failure_comes_back_with_a_growing_delay(error: Exception) -> None:
    left = 6

    def answer(key: Key) -> Again | None:
        nonlocal left
        left -= 1
        if left:
            raise error
        return None

    story = _run(lambda api: api.add("apps/v1", "ReplicaSet", _set("a")), answer=answer, seconds=30)
    assert [when for when, _ in story] == [0.1, 0.205, 0.315, 0.435, 0.575, 0.755]


def test_a_controller_writes_as_itself_and_reads_as_the_manager() -> None:
    identities: list[str] = []

    class Other(Controller):
        name = "endpoints-controller"
        identity = "endpoint-controller"

        async def reconcile(self, key: Key) -> Again | None:
            return None

    async def main(clock: LoopClock, chance: Chance) -> None:
        api = FakeApi(clock)

        def clients(identity: str) -> Client:
            identities.append(identity)
            return api.client(identity)

        async with Tasks() as tasks:
            run_all([Other], clients, clock, chance, tasks)
            await clock.sleep(1)

    run(main)
    assert identities == ["", "endpoint-controller"]


def test_a_rule_is_a_policy_rule() -> None:
    assert rule(("apps",), ("deployments",), ("get",)) == {
        "apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get"],
    }  # fmt: skip
    assert EVENTS["resources"] == ["events"]


def test_keys_of_owners_know_their_group() -> None:
    async def main(clock: LoopClock, chance: Chance) -> list[Key]:
        async with Tasks() as tasks:
            informers = Informers(FakeApi(clock).client(), clock, tasks)
            return [*owner(Deployment)(Pod(_pod("p", ("apps/v1", "Deployment"))), informers)]

    assert run(main) == [Key("ns", "web")]
