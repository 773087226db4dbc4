"""The policy by default, and what of the node pods may not have because of it."""

import pytest

from pilothouse.kubelet.eviction.policy import EvictionPolicy
from pilothouse.kubelet.reservations import Reservations

DEFAULT = ["memory.available", "nodefs.available", "nodefs.inodesFree", "imagefs.available", "imagefs.inodesFree"]


def _signals(policy: EvictionPolicy, reservations: Reservations | None = None) -> list[str]:
    return [one.signal for one in policy.thresholds(reservations)]


def test_by_default_upstreams_signals_are_watched_hard() -> None:
    policy = EvictionPolicy()
    assert _signals(policy) == DEFAULT
    assert all(one.hard for one in policy.thresholds())
    assert [str(one.limit(1000)) for one in policy.thresholds()] == ["100Mi", "100", "50", "150", "50"]
    assert (policy.transition, policy.max_pod_grace) == (300, 0)


def test_what_is_named_replaces_the_default_unless_it_is_merged() -> None:
    hard = {"pid.available": "10%", "memory.available": "1Gi"}
    assert _signals(EvictionPolicy(hard=hard)) == ["pid.available", "memory.available"]
    merged = EvictionPolicy(hard=hard, merge_defaults=True)
    assert _signals(merged) == [*DEFAULT, "pid.available"]
    assert str(merged.thresholds()[0].limit(0)) == "1Gi"


def test_the_file_system_of_containers_is_not_heeded_but_must_be_right() -> None:
    assert _signals(EvictionPolicy(hard={"containerfs.available": "10%", "containerfs.inodesFree": "10%"})) == []
    with pytest.raises(ValueError, match="must be <= 100%"):
        EvictionPolicy(hard={"containerfs.available": "200%"})


def test_all_pods_together_are_watched_where_their_limit_is_enforced() -> None:
    policy = EvictionPolicy(hard={"memory.available": "1Gi"})
    assert _signals(policy, Reservations()) == ["memory.available", "allocatableMemory.available"]
    assert _signals(policy, Reservations(enforce=("none",))) == ["memory.available"]


def test_what_is_kept_is_that_of_hard_ones() -> None:
    policy = EvictionPolicy(soft={"nodefs.available": "50%"}, soft_grace={"nodefs.available": 1},
                            hard={"memory.available": "1Gi"})  # fmt: skip
    assert str(policy.kept("memory.available", 5)) == "1Gi"
    assert policy.kept("nodefs.available", 1000).value() == 0
