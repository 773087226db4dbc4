from typing import Any

import pytest

from fakes.api import FakeApi
from pilothouse.api.machinery import errors
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.apps_v1 import ReplicaSet
from pilothouse.api.types.core_v1 import Pod, PodTemplateSpec
from pilothouse.client.events import EventRecorder
from pilothouse.reconcile import pod_control
from pilothouse.reconcile.pod_control import (
    PodControl,
    all_at_once,
    is_namespace_terminating,
    pod_from_template,
    slow_start,
)
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.loop import run

REFERENCE = {"kind": "ReplicaSet", "name": "web", "uid": "u"}
TERMINATING = errors.Forbidden("no", details={"causes": [{"reason": "NamespaceTerminating"}]})


def _owner(name: str = "web") -> ReplicaSet:
    return ReplicaSet({"metadata": {"name": name, "namespace": "ns", "uid": "u"}})


@pytest.mark.parametrize(
    ("name", "prefix"),
    [("web", "web-"), ("a" * 252, "a" * 252), ("a" * 251, "a" * 251 + "-")],
    ids=["plain", "no room for the dash", "just room"],
)
def test_the_name_begins_with_the_owners(name: str, prefix: str) -> None:
    manifest = pod_from_template(PodTemplateSpec({}), _owner(name), REFERENCE)
    assert manifest["metadata"] == {"generateName": prefix, "ownerReferences": [REFERENCE]}


def test_a_pod_has_what_its_template_says() -> None:
    meta = {"labels": {"a": "b"}, "annotations": {"c": "d"}, "finalizers": ["x/y"], "name": "ignored"}
    template = PodTemplateSpec({"metadata": meta, "spec": {"containers": [{"name": "c"}]}})
    manifest = pod_from_template(template, _owner(), REFERENCE)
    del meta["name"]
    assert manifest == {
        "metadata": {"generateName": "web-", "ownerReferences": [REFERENCE], **meta},
        "spec": {"containers": [{"name": "c"}]},
    }


@pytest.mark.parametrize(
    ("error", "terminating"),
    [(TERMINATING, True), (errors.Forbidden("no"), False), (errors.Forbidden("", details={"causes": [{}]}), False)],
)
def test_a_going_namespace_says_so(error: errors.StatusError, terminating: bool) -> None:
    assert is_namespace_terminating(error) is terminating


def _slow(count: int, fails_from: int) -> tuple[list[int], int, Any]:
    """How many were under way at once in each batch, and the result."""
    batches: list[int] = []
    calls = 0

    async def main(clock: LoopClock, chance: Chance) -> tuple[int, Any]:
        at: dict[float, int] = {}

        async def act() -> None:
            nonlocal calls
            calls += 1
            mine = calls
            at[clock.monotonic()] = at.get(clock.monotonic(), 0) + 1
            await clock.sleep(1)
            if mine >= fails_from:
                raise errors.Forbidden(f"no {mine}")

        result = await slow_start(count, act)
        batches.extend(at.values())
        return result

    done, failure = run(main)
    return batches, done, failure and str(failure)


@pytest.mark.parametrize(
    ("count", "fails_from", "batches", "done", "failure"),
    [
        (0, 99, [], 0, None),
        (1, 99, [1], 1, None),
        (10, 99, [1, 2, 4, 3], 10, None),
        (10, 1, [1], 0, "no 1"),
        (10, 3, [1, 2], 2, "no 3"),
        (500, 6, [1, 2, 4], 5, "no 6"),
    ],
)
def test_it_starts_slowly_and_stops_at_a_failure(
    count: int, fails_from: int, batches: list[int], done: int, failure: str | None
) -> None:
    assert _slow(count, fails_from) == (batches, done, failure)


def test_all_at_once_collects_what_the_network_says_and_nothing_else() -> None:
    async def lost() -> None:
        raise ConnectionResetError("lost")

    async def fine() -> None:
        return

    async def fault() -> None:
        raise KeyError("a fault of ours")

    async def main(clock: LoopClock, chance: Chance) -> None:
        assert [str(error) for error in await all_at_once([lost, fine, lost])] == ["lost", "lost"]
        with pytest.raises(ExceptionGroup):
            await all_at_once([fault])

    run(main)


def test_the_manifest_of_many_pods_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[JsonObject] = []

    def counted(*arguments: Any) -> JsonObject:
        made.append(pod_from_template(*arguments))
        return made[-1]

    monkeypatch.setattr(pod_control, "pod_from_template", counted)

    async def main(clock: LoopClock, chance: Chance) -> None:
        api = FakeApi(clock)
        async with Tasks() as tasks:
            client = api.client()
            control = PodControl(client, EventRecorder(client, clock, tasks, "replicaset-controller"))
            done, failure = await slow_start(
                7, control.creation(_owner(), PodTemplateSpec({"spec": {"hostname": "h"}}))
            )
            assert (done, failure) == (7, None)
            found = api.of("pods")
            assert len({pod["metadata"]["name"] for pod in found}) == 7
            assert all(pod["spec"] == {"hostname": "h"} for pod in found)
            assert len(made) == 1

    run(main)


def _told(error: errors.StatusError | None, *, create: bool) -> list[tuple[str, str, str]]:
    """The events that one creation or deletion causes."""

    async def main(clock: LoopClock, chance: Chance) -> list[tuple[str, str, str]]:
        api = FakeApi(clock)
        api.add("v1", "Pod", {"metadata": {"name": "web-x", "namespace": "ns"}})
        api.fail = lambda _, path: error if "/pods" in path else None
        async with Tasks() as tasks:
            client = api.client()
            control = PodControl(client, EventRecorder(client, clock, tasks, "replicaset-controller"))
            try:
                if create:
                    await control.creation(_owner(), PodTemplateSpec({}))()
                else:
                    await control.delete(_owner(), Pod(api.get("pods", "ns", "web-x")))
            except errors.StatusError:
                raised = True
            else:
                raised = False
            assert raised is (error is not None)
            await clock.sleep(5)
            return [(event["type"], event["reason"], event["message"]) for event in api.of("events")]

    return run(main)


def test_creations_and_deletions_are_told() -> None:
    (created,) = _told(None, create=True)
    assert created[:2] == ("Normal", "SuccessfulCreate")
    assert created[2].startswith("Created pod: web-0")
    assert _told(None, create=False) == [("Normal", "SuccessfulDelete", "Deleted pod: web-x")]
    refused = errors.Forbidden("quota is used up")
    assert _told(refused, create=True) == [("Warning", "FailedCreate", "Error creating: quota is used up")]
    assert _told(refused, create=False) == [("Warning", "FailedDelete", "Error deleting: quota is used up")]
    assert _told(TERMINATING, create=True) == []
    assert _told(errors.not_found("pods", "", "web-x"), create=False) == []
