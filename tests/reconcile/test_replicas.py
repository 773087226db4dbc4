from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from fakes.api import FakeApi
from pilothouse.api.machinery import errors
from pilothouse.api.types.apps_v1 import ReplicaSet
from pilothouse.api.types.core_v1 import Pod, ReplicationController
from pilothouse.controllers.replicaset import ReplicaSetController
from pilothouse.controllers.replication_controller import ReplicationControllerController
from pilothouse.reconcile.controller import Again
from pilothouse.reconcile.replicas import (
    BURST,
    ReplicasController,
    Replicated,
    plan_look_again,
    plan_scaling,
    plan_status,
)
from pilothouse.reconcile.runner import run_all
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock, format_time
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.loop import run

NOW = 1_800_000_000.0
LABELS = {"app": "web"}


def _set(replicas: int | None = 3, **status: Any) -> ReplicaSet:
    return ReplicaSet({
        "metadata": {"name": "web", "namespace": "ns", "generation": 4},
        "spec": {"replicas": replicas, "selector": {"matchLabels": LABELS}, "minReadySeconds": 10,
                 "template": {"metadata": {"labels": {**LABELS, "tier": "front"}}, "spec": {"containers": []}}},
        "status": status,
    })  # fmt: skip


def _controller(replicas: int | None = 3, **status: Any) -> ReplicationController:
    manifest = _set(replicas, **status).literal()
    return ReplicationController({**manifest, "spec": {**manifest["spec"], "selector": LABELS}})


@dataclass(frozen=True)
class Case:
    """A kind, and who keeps its pods."""

    made: Callable[[int], Replicated]
    kind: str
    version: str
    plural: str
    kept_by: type[ReplicasController]
    tells_terminating: bool


SETS = Case(_set, "ReplicaSet", "apps/v1", "replicasets", ReplicaSetController, True)
CONTROLLERS = Case(
    _controller, "ReplicationController", "v1", "replicationcontrollers", ReplicationControllerController, False
)
each_kind = pytest.mark.parametrize("case", [SETS, CONTROLLERS], ids=["replicaset", "replicationcontroller"])


def _pod(name: str, ready_for: float | None = None, **labels: str) -> Pod:
    conditions: list[dict[str, str]] = []
    if ready_for is not None:
        since = format_time(NOW - ready_for)
        conditions = [{"type": "Ready", "status": "True", "lastTransitionTime": since}]
    return Pod({"metadata": {"name": name, "namespace": "ns", "uid": name, "labels": {**LABELS, **labels}},
                "spec": {"nodeName": "n"}, "status": {"phase": "Running", "conditions": conditions}})  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "pods", "create", "delete"),
    [
        (0, [], 0, []),
        (3, [_pod("a")], 2, []),
        (1, [_pod("a")], 0, []),
        (1, [_pod("a", 20), _pod("b"), _pod("c", 20)], 0, ["b", "a"]),
        (0, [_pod("a")], 0, ["a"]),
        (BURST + 1, [], BURST, []),
        (0, [_pod(f"{n:04}") for n in range(BURST + 1)], 0, [f"{n:04}" for n in range(BURST)]),
    ],
)
def test_the_wanted_number(wanted: int, pods: list[Pod], create: int, delete: list[str]) -> None:
    scaling = plan_scaling(wanted, pods, [], NOW)
    assert (scaling.create, [pod.metadata.name for pod in scaling.delete]) == (create, delete)


@pytest.mark.parametrize("replicated", [_set(), _controller()], ids=["replicaset", "replicationcontroller"])
@pytest.mark.parametrize(("terminating", "told"), [(2, {"terminatingReplicas": 2}), (None, {})])
def test_the_status_counts(replicated: Replicated, terminating: int | None, told: dict[str, int]) -> None:
    pods = [_pod("a", 20, tier="front"), _pod("b", 5), _pod("c")]
    assert plan_status(replicated, pods, terminating, None, NOW) == {
        "replicas": 3, "fullyLabeledReplicas": 1, "readyReplicas": 2, "availableReplicas": 1, "observedGeneration": 4,
        **told,
    }  # fmt: skip


def _failure(reason: str, at: float = NOW) -> dict[str, str]:
    return {"type": "ReplicaFailure", "status": "True", "reason": reason, "message": "quota",
            "lastTransitionTime": format_time(at)}  # fmt: skip


@pytest.mark.parametrize(
    ("replicas", "before", "failure", "after"),
    [
        (3, [], "quota", [_failure("FailedCreate")]),
        (None, [], "quota", [_failure("FailedDelete")]),
        (3, [_failure("FailedCreate", 5)], "another", [_failure("FailedCreate", 5)]),
        (3, [_failure("FailedCreate", 5)], None, None),
        (3, [_failure("FailedCreate", 5), {"type": "Mine"}], None, [{"type": "Mine"}]),
    ],
    ids=["creating", "deleting", "it stays as it was first told", "it goes", "others stay"],
)
def test_a_failure_is_a_condition(replicas: int, before: list[Any], failure: str | None, after: Any) -> None:
    status = plan_status(_set(replicas, conditions=before), [_pod("a"), _pod("b")], 0, failure, NOW)
    assert status.get("conditions") == after


@pytest.mark.parametrize(
    ("pods", "min_ready", "again"),
    [
        ([], 10, None),
        ([_pod("a")], 10, None),
        ([_pod("a", 20)], 10, None),
        ([_pod("a", 4), _pod("b", 7)], 10, Again(3)),
        ([_pod("a", 4)], 0, None),
    ],
)
def test_it_looks_again_when_the_next_becomes_available(pods: list[Pod], min_ready: int, again: Again | None) -> None:
    assert plan_look_again(pods, min_ready, NOW) == again


Scene = Callable[[FakeApi, LoopClock], Awaitable[None]]


def _play(case: Case, scene: Scene, *, before: Callable[[FakeApi], object] = lambda _: None, replicas: int = 3) -> None:
    """The controller on a fake API, with one object of its kind of which everything was asked for a second ago."""

    async def main(clock: LoopClock, chance: Chance) -> None:
        api = FakeApi(clock)
        manifest = case.made(replicas).literal()
        del manifest["status"]
        api.add(case.version, case.kind, manifest)
        before(api)
        async with Tasks() as tasks:
            run_all([case.kept_by], api.client, clock, chance, tasks)
            await clock.sleep(1)
            await scene(api, clock)

    run(main)


def _names(api: FakeApi) -> list[str]:
    return sorted(pod["metadata"]["name"] for pod in api.of("pods") if not pod["metadata"].get("deletionTimestamp"))


def _reasons(api: FakeApi) -> list[str]:
    return [event["reason"] for event in api.of("events")]


@each_kind
def test_it_creates_replaces_and_scales(case: Case) -> None:
    async def scene(api: FakeApi, clock: LoopClock) -> None:
        names = _names(api)
        assert len(names) == 3
        assert all(name.startswith("web-") for name in names)
        pod = api.get("pods", "ns", names[0])
        assert pod["metadata"]["labels"] == {"app": "web", "tier": "front"}
        assert pod["metadata"]["ownerReferences"] == [
            {"apiVersion": case.version, "kind": case.kind, "name": "web", "controller": True,
             "blockOwnerDeletion": True, "uid": api.get(case.plural, "ns", "web")["metadata"]["uid"]}
        ]  # fmt: skip
        api.remove("pods", "ns", names[0])
        await clock.sleep(1)
        assert len(_names(api)) == 3
        api.put(case.plural, "ns", "web", {"spec": {"replicas": 1}})
        await clock.sleep(1)
        assert len(_names(api)) == 1
        assert _reasons(api).count("SuccessfulCreate") == 4
        assert _reasons(api).count("SuccessfulDelete") == 2
        assert api.get(case.plural, "ns", "web")["status"]["replicas"] == 1

    _play(case, scene)


@each_kind
def test_a_pod_on_its_way_out_is_replaced_at_once_and_counted_apart(case: Case) -> None:
    async def scene(api: FakeApi, clock: LoopClock) -> None:
        first = _names(api)[0]
        api.put("pods", "ns", first, {"metadata": {"deletionTimestamp": format_time(clock.now()), "finalizers": ["x"]}})
        await clock.sleep(1)
        assert len(_names(api)) == 3
        assert len(api.of("pods")) == 4
        status = api.get(case.plural, "ns", "web")["status"]
        assert (status["replicas"], status.get("terminatingReplicas")) == (3, 1 if case.tells_terminating else None)

    _play(case, scene)


@each_kind
def test_it_adopts_and_releases(case: Case) -> None:
    def before(api: FakeApi) -> None:
        api.add("v1", "Pod", {"metadata": {"name": "stray", "namespace": "ns", "labels": LABELS}})
        api.add("v1", "Pod", {"metadata": {"name": "alien", "namespace": "ns", "labels": {"app": "b"}}})

    async def scene(api: FakeApi, clock: LoopClock) -> None:
        names = _names(api)
        assert len(names) == 4
        assert {"stray", "alien"} <= set(names)
        assert api.get("pods", "ns", "stray")["metadata"]["ownerReferences"][0]["name"] == "web"
        api.put("pods", "ns", "stray", {"metadata": {"labels": {"app": "debugged"}}})
        await clock.sleep(1)
        assert not api.get("pods", "ns", "stray")["metadata"].get("ownerReferences")
        assert len(_names(api)) == 5

    _play(case, scene, before=before)


@each_kind
def test_a_refused_creation_is_told_reported_and_tried_again(case: Case) -> None:
    refusing = True

    def fail(method: str, path: str) -> errors.StatusError | None:
        return errors.Forbidden("quota") if refusing and method == "POST" and path.endswith("/pods") else None

    async def scene(api: FakeApi, clock: LoopClock) -> None:
        nonlocal refusing
        assert api.of("pods") == []
        assert "FailedCreate" in _reasons(api)
        (condition,) = api.get(case.plural, "ns", "web")["status"]["conditions"]
        assert (condition["type"], condition["reason"], condition["message"]) == (
            "ReplicaFailure", "FailedCreate", "quota",
        )  # fmt: skip
        refusing = False
        await clock.sleep(60)
        assert len(_names(api)) == 3
        assert not api.get(case.plural, "ns", "web")["status"].get("conditions")

    _play(case, scene, before=lambda api: setattr(api, "fail", fail))


@each_kind
def test_never_too_many_when_the_informer_lags(case: Case) -> None:
    async def scene(api: FakeApi, clock: LoopClock) -> None:
        for count in (7, 9, 40):
            api.put(case.plural, "ns", "web", {"spec": {"replicas": count}})
        await clock.sleep(3)
        assert len(_names(api)) == 40
        assert sum(method == "POST" and "/pods" in target for method, target in api.calls) == 40

    _play(case, scene)


@each_kind
def test_who_is_being_deleted_creates_nothing(case: Case) -> None:
    going = {"metadata": {"deletionTimestamp": format_time(0), "finalizers": ["foregroundDeletion"]}}

    async def scene(api: FakeApi, clock: LoopClock) -> None:
        assert api.of("pods") == []

    _play(case, scene, before=lambda api: api.put(case.plural, "ns", "web", going))


@each_kind
def test_available_comes_with_time(case: Case) -> None:
    async def scene(api: FakeApi, clock: LoopClock) -> None:
        (name,) = _names(api)
        ready = {"type": "Ready", "status": "True", "lastTransitionTime": format_time(clock.now())}
        api.put("pods", "ns", name, {"status": {"phase": "Running", "conditions": [ready]}})
        await clock.sleep(5)
        status = api.get(case.plural, "ns", "web")["status"]
        assert (status["readyReplicas"], status["availableReplicas"]) == (1, 0)
        await clock.sleep(6)
        assert api.get(case.plural, "ns", "web")["status"]["availableReplicas"] == 1

    _play(case, scene, replicas=1)
