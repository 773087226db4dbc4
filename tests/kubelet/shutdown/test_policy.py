"""How much time there is, by upstream's three fields. Messages are those of its validation."""

from typing import Any

import pytest

from pilothouse.kubelet.shutdown.policy import Period, ShutdownPolicy

CRITICAL = 2_000_000_000


@pytest.mark.parametrize(
    ("fields", "periods", "requested"),
    [
        ({}, [], 0),
        ({"grace_period": 30}, [(0, 30), (CRITICAL, 0)], 30),
        ({"grace_period": 30, "critical_pods": 10}, [(0, 20), (CRITICAL, 10)], 30),
        ({"grace_period": 30.9, "critical_pods": 10.5}, [(0, 20), (CRITICAL, 10)], 30),
        ({"grace_period": 10, "critical_pods": 10}, [(0, 0), (CRITICAL, 10)], 10),
        ({"by_priority": (Period(100, 5), Period(-5, 7), Period(0, 3))}, [(-5, 7), (0, 3), (100, 5)], 15),
    ],
)
def test_periods(fields: dict[str, Any], periods: list[tuple[int, int]], requested: float) -> None:
    policy = ShutdownPolicy(**fields)
    assert [(one.priority, one.seconds) for one in policy.periods] == periods
    assert policy.requested == requested


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"grace_period": -1}, "shutdownGracePeriod {-1s} must be either zero or otherwise >= 1 sec"),
        ({"grace_period": 0.5}, "shutdownGracePeriod {500ms} must be either zero or otherwise >= 1 sec"),
        (
            {"grace_period": 5, "critical_pods": 0.5},
            "shutdownGracePeriodCriticalPods {500ms} must be either zero or otherwise >= 1 sec",
        ),
        (
            {"grace_period": 5, "critical_pods": 6},
            "shutdownGracePeriodCriticalPods {6s} must be <= shutdownGracePeriod {5s}",
        ),
        (
            {"grace_period": 5, "by_priority": (Period(0, 0),)},
            "Cannot specify both shutdownGracePeriodByPodPriority and shutdownGracePeriod at the same time",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as error:
        ShutdownPolicy(**fields)
    assert str(error.value) == f"invalid configuration: {message}"
