"""Who ends in which turn. Upstream: nodeshutdown_manager_linux_test.go, Test_groupByPriority."""

from typing import Any

import pytest

from kubelet.harness import pod
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.shutdown.groups import grace, grouped
from pilothouse.kubelet.shutdown.policy import Period

PERIODS = (Period(10, 1), Period(100, 2), Period(1000, 3))


def _pod(name: str, **spec: Any) -> Pod:
    return Pod(pod(name, **spec))


@pytest.mark.parametrize(
    ("priority", "seconds"),
    [(None, 1), (0, 1), (9, 1), (10, 1), (99, 1), (100, 2), (101, 2), (999, 2), (1000, 3), (2_000_000_000, 3)],
)
def test_a_pod_has_the_period_that_its_priority_reaches(priority: int | None, seconds: int) -> None:
    spec = {} if priority is None else {"priority": priority}
    ((period, pods),) = grouped(PERIODS, [_pod("web", **spec)])
    assert (period.seconds, len(pods)) == (seconds, 1)


def test_turns_are_in_order_and_those_without_pods_are_left_out() -> None:
    pods = [_pod("high", priority=5000), _pod("low", priority=-1), _pod("none")]
    turns = grouped(PERIODS, pods)
    assert [(period.priority, [one.metadata.name for one in turn]) for period, turn in turns] == [
        (10, ["low", "none"]),
        (1000, ["high"]),
    ]
    assert grouped(PERIODS, []) == []


@pytest.mark.parametrize(("asked", "seconds"), [(None, 20), (5, 5), (20, 20), (30, 20), (0, 0)])
def test_a_pod_has_as_long_as_it_asks_for_but_no_longer_than_its_turn(asked: int | None, seconds: float) -> None:
    spec = {} if asked is None else {"terminationGracePeriodSeconds": asked}
    assert grace(_pod("web", **spec), Period(0, 20)) == seconds
