from typing import Any

import pytest

from pilothouse.api.types.apps_v1 import Deployment, ReplicaSet
from pilothouse.controllers.deployment.revisions import DESIRED, MAXIMUM
from pilothouse.controllers.deployment.rollout import (
    Resize,
    first_size,
    is_scaling,
    max_surge,
    max_unavailable,
    plan_rolling,
    plan_scaling,
)


def _deployment(replicas: int, surge: Any = 1, unavailable: Any = 1, strategy: str = "RollingUpdate") -> Deployment:
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    return Deployment({"spec": {"replicas": replicas, "strategy": {"type": strategy, "rollingUpdate": rolling}}})


def _set(
    name: str, replicas: int, available: int | None = None, remembers: tuple[int, int] | None = None
) -> ReplicaSet:
    annotations = {DESIRED: str(remembers[0]), MAXIMUM: str(remembers[1])} if remembers else {}
    stamp = f"2026-01-0{ord(name[0]) - ord('a') + 1}T00:00:00Z"
    return ReplicaSet({
        "metadata": {"name": name, "creationTimestamp": stamp, "annotations": annotations},
        "spec": {"replicas": replicas},
        "status": {"availableReplicas": replicas if available is None else available},
    })  # fmt: skip


def _shown(steps: list[Resize]) -> dict[str, int]:
    return {step.replica_set.metadata.name: step.replicas for step in steps}


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "fenceposts"),
    [
        (10, "25%", "25%", (3, 2)),
        (10, 3, 2, (3, 2)),
        (1, "25%", "25%", (1, 0)),
        (0, "25%", "25%", (0, 0)),
        (3, 0, "1%", (0, 1)),
        (2, 1, 5, (1, 2)),
    ],
)
def test_how_far_it_may_stray(replicas: int, surge: Any, unavailable: Any, fenceposts: tuple[int, int]) -> None:
    deployment = _deployment(replicas, surge, unavailable)
    assert (max_surge(deployment), max_unavailable(deployment)) == fenceposts


@pytest.mark.parametrize(
    ("deployment", "old", "size"),
    [
        (_deployment(10, 3), [], 10),
        (_deployment(10, 3), [_set("a", 10)], 3),
        (_deployment(10, 3), [_set("a", 10), _set("b", 3)], 0),
        (_deployment(10, 0), [_set("a", 10)], 0),
        (_deployment(10, strategy="Recreate"), [_set("a", 10)], 10),
    ],
)
def test_a_new_one_begins_with_the_room_there_is(deployment: Deployment, old: list[ReplicaSet], size: int) -> None:
    assert first_size(deployment, old) == size


@pytest.mark.parametrize(
    ("deployment", "new", "old", "steps"),
    [
        (_deployment(10, 3, 2), _set("c", 3, 0), [_set("a", 10)], {"a": 8}),
        (_deployment(10, 3, 2), _set("c", 3, 0), [_set("a", 8)], {"c": 5}),
        (_deployment(10, 3, 2), _set("c", 5, 0), [_set("a", 8)], {}),
        (_deployment(10, 3, 2), _set("c", 5, 3), [_set("a", 8)], {"a": 5}),
        (_deployment(10, 3, 2), _set("c", 5, 0), [_set("a", 8, 7)], {}),
        (_deployment(10, 3, 2), _set("c", 1, 0), [_set("a", 10), _set("b", 2, 0)], {"a": 8, "b": 0}),
        (_deployment(10, 3, 2), _set("c", 10), [_set("a", 0)], {}),
        (_deployment(5, 3, 2), _set("c", 10), [], {"c": 5}),
        (_deployment(10, 0, 1), _set("c", 0), [_set("a", 10)], {"a": 9}),
        (_deployment(1, 1, 0), _set("c", 1, 0), [_set("a", 1)], {}),
        (_deployment(1, 1, 0), _set("c", 1, 1), [_set("a", 1)], {"a": 0}),
        (_deployment(3, 1, 0), _set("c", 1, 1), [_set("a", 2), _set("b", 1)], {"a": 1}),
    ],
    ids=["first the old shrink by what may be missing", "the new grows into the room", "nothing is available yet",
         "what is available is taken over", "a sick old pod opens no room", "the sick ones of old go first",
         "done", "too large", "no surge", "none may be missing", "until the new one answers", "the oldest first"],
)  # fmt: skip
def test_one_step_of_a_rolling_update(
    deployment: Deployment, new: ReplicaSet, old: list[ReplicaSet], steps: dict[str, int]
) -> None:
    assert _shown(plan_rolling(deployment, new, old)) == steps


@pytest.mark.parametrize(
    ("deployment", "new", "old", "steps"),
    [
        (_deployment(5), None, [], {}),
        (_deployment(5), _set("c", 3), [_set("a", 0)], {"c": 5}),
        (_deployment(5), None, [_set("a", 0), _set("b", 0)], {"b": 5}),
        (_deployment(5), _set("c", 0), [_set("a", 3)], {"a": 5}),
        (_deployment(5), _set("c", 5, 5, (5, 6)), [_set("a", 3), _set("b", 1)], {"a": 0, "b": 0}),
        (_deployment(15, 3, 2), _set("c", 5, 5, (10, 13)), [_set("a", 8, 8, (10, 13))], {"a": 11, "c": 7}),
        (_deployment(5, 3, 2), _set("c", 5, 5, (10, 13)), [_set("a", 8, 8, (10, 13))], {"a": 5, "c": 3}),
        (_deployment(0, 3, 2), _set("c", 5, 5, (10, 13)), [_set("a", 8, 8, (10, 13))], {"a": 0, "c": 0}),
        (_deployment(10, 2, 0), _set("b", 3, 3, (6, 6)), [_set("a", 3, 3, (6, 6))], {"b": 6, "a": 6}),
        (_deployment(7, 0, 1), _set("b", 3, 3, (6, 6)), [_set("a", 3, 3, (6, 6))], {"b": 4, "a": 3}),
        (_deployment(5, 0, 1), _set("b", 3, 3, (6, 6)), [_set("a", 3, 3, (6, 6))], {"a": 2, "b": 3}),
        (_deployment(9, strategy="Recreate"), _set("b", 3), [_set("a", 3)], {}),
    ],
    ids=["nothing there", "the only one that has pods", "the newest where none has", "an old one that has them all",
         "the new one suffices", "up in proportion", "down in proportion", "to nothing", "each its half",
         "of equals the newer grows", "of equals the older shrinks", "never in proportion where pods are recreated"],
)  # fmt: skip
def test_a_change_of_size(
    deployment: Deployment, new: ReplicaSet | None, old: list[ReplicaSet], steps: dict[str, int]
) -> None:
    assert _shown(plan_scaling(deployment, new, old)) == steps


@pytest.mark.parametrize(
    ("sets", "scaling"),
    [
        ([], False),
        ([_set("a", 3)], False),
        ([_set("a", 3, 3, (3, 4))], False),
        ([_set("a", 5, 5, (5, 6))], True),
        ([_set("a", 0, 0, (5, 6))], False),
    ],
)
def test_scaling_is_told_from_rolling_out(sets: list[ReplicaSet], scaling: bool) -> None:
    assert is_scaling(_deployment(3), sets) is scaling
