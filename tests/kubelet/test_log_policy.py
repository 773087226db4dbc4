"""Policies that would lose logs, or never rest, are refused."""

from typing import Any

import pytest

from pilothouse.kubelet.log_policy import LogPolicy


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"max_files": 1}, "containerLogMaxFiles 1 must be greater than 1"),
        ({"max_workers": 0}, "containerLogMaxWorkers 0 must be greater than or equal to 1"),
        ({"monitor_interval": 2.0}, "containerLogMonitorInterval 2s must be greater than 3 seconds"),
    ],
)
def test_a_policy_that_makes_no_sense(wrong: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        LogPolicy(**wrong)


def test_upstream_s_defaults() -> None:
    assert LogPolicy() == LogPolicy(max_size=10_485_760, max_files=5, max_workers=1, monitor_interval=10.0)
