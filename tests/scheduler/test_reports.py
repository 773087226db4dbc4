from typing import Any

import pytest

from pilothouse.runtime.clock import parse_time
from pilothouse.scheduler.reports import NOTE_LENGTH, plan_condition, shortened
from scheduler.samples import pod

NOW = parse_time("2026-01-02T00:00:00Z")
OLD = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no", "lastProbeTime": None,
       "lastTransitionTime": "2026-01-01T00:00:00Z"}  # fmt: skip


def _plan(conditions: list[Any], message: str = "no", reason: str = "Unschedulable", generation: int = 0) -> Any:
    one = pod(status={"conditions": conditions})
    if generation:
        one.raw["metadata"]["generation"] = generation
    return plan_condition(one, "PodScheduled", "False", reason, message, NOW)


@pytest.mark.parametrize(
    ("conditions", "message", "generation", "since"),
    [
        ([], "no", 0, "2026-01-02T00:00:00Z"),
        ([{"type": "Ready", "status": "False"}], "no", 0, "2026-01-02T00:00:00Z"),
        ([OLD], "another", 0, OLD["lastTransitionTime"]),
        ([{**OLD, "reason": "SchedulingGated"}], "no", 0, OLD["lastTransitionTime"]),
        ([OLD], "no", 2, OLD["lastTransitionTime"]),
        ([{**OLD, "status": "True"}], "no", 0, "2026-01-02T00:00:00Z"),
    ],
)
def test_the_condition(conditions: list[Any], message: str, generation: int, since: str) -> None:
    observed = {"observedGeneration": generation} if generation else {}
    wanted = {**OLD, "message": message, "lastTransitionTime": since, **observed}
    assert _plan(conditions, message, generation=generation) == wanted


def test_what_was_said_is_not_written_again() -> None:
    assert _plan([OLD]) is None
    assert _plan([{**OLD, "observedGeneration": 2}], generation=2) is None


@pytest.mark.parametrize(("length", "cut"), [(NOTE_LENGTH, False), (NOTE_LENGTH + 1, True)])
def test_events_are_shortened(length: int, cut: bool) -> None:
    found = shortened("x" * length)
    assert len(found) == NOTE_LENGTH
    assert found.endswith(" ...") is cut
