from typing import Any

import pytest

from pilothouse.api.types.core_v1 import Pod
from pilothouse.reconcile.pods import (
    DELETION_COST,
    available_at,
    deletion_cost,
    deletion_order,
    is_active,
    is_available,
    is_ready,
    is_terminating,
    ready_since,
)
from pilothouse.runtime.clock import format_time

NOW = 1_800_000_000.0


def _pod(
    name: str = "p",
    *,
    node: str = "n1",
    phase: str = "Running",
    ready: float | None = 1000,
    age: float = 5000,
    cost: str = "",
    restarts: int = 0,
    first_restarts: int = 0,
    going: bool = False,
) -> Pod:
    """A pod ready for so many seconds."""
    meta: dict[str, Any] = {"name": name, "uid": f"uid-{name}", "creationTimestamp": format_time(NOW - age)}
    if cost:
        meta["annotations"] = {DELETION_COST: cost}
    if going:
        meta["deletionTimestamp"] = format_time(NOW)
    status: dict[str, Any] = {"phase": phase, "containerStatuses": [{"restartCount": restarts}, {"restartCount": 0}]}
    status["initContainerStatuses"] = [{"restartCount": first_restarts}]
    if ready is not None:
        status["conditions"] = [{"type": "Ready", "status": "True", "lastTransitionTime": format_time(NOW - ready)}]
    return Pod({"metadata": meta, "spec": {"nodeName": node}, "status": status})


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (_pod("z", node=""), _pod("a", phase="Pending", ready=None)),
        (_pod("z", phase="Pending", ready=None), _pod("a", phase="Unknown", ready=None)),
        (_pod("z", phase="Unknown", ready=None), _pod("a", ready=None)),
        (_pod("z", ready=None), _pod("a", cost="-5")),
        (_pod("z", cost="-1"), _pod("a")),
        (_pod("z"), _pod("a", cost="10")),
        (_pod("z", ready=10), _pod("a", ready=1000)),
        (_pod("z", restarts=3), _pod("a", restarts=2)),
        (_pod("z", first_restarts=1), _pod("a")),
        (_pod("z", age=100), _pod("a")),
        (_pod("a", ready=1000), _pod("z", ready=1050)),
    ],
    ids=["unassigned", "pending", "unknown", "not ready", "cheap", "dear", "ready for less long", "restarts more",
         "restarts more at first", "younger", "about as old: the uid decides"],
)  # fmt: skip
def test_those_go_first_whose_loss_hurts_least(first: Pod, second: Pod) -> None:
    assert deletion_order([second, first], [], NOW) == [first, second]
    assert deletion_order([first, second], [], NOW) == [first, second]


def test_of_equals_those_go_that_share_a_node() -> None:
    lonely, doubled = _pod("a", node="n1"), _pod("b", node="n2")
    ended = _pod("d", node="n1", phase="Failed")
    assert deletion_order([lonely, doubled], [lonely, doubled, _pod("c", node="n2"), ended, ended], NOW) == [
        doubled, lonely,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "cost"),
    [("", 0), ("7", 7), ("-7", -7), ("0", 0), ("007", 0), ("-0", 0), ("+1", 0), ("1.5", 0), ("x", 0), ("٣", 0),
     ("2147483647", 2**31 - 1), ("2147483648", 0), ("-2147483648", -(2**31))],
)  # fmt: skip
def test_a_cost_that_is_no_number_is_none(text: str, cost: int) -> None:
    assert deletion_cost(_pod(cost=text)) == cost


@pytest.mark.parametrize(
    ("pod", "active", "terminating"),
    [
        (_pod(), True, False),
        (_pod(phase="Pending"), True, False),
        (_pod(phase="Succeeded"), False, False),
        (_pod(phase="Failed", going=True), False, False),
        (_pod(going=True), False, True),
    ],
)
def test_who_counts(pod: Pod, active: bool, terminating: bool) -> None:
    assert (is_active(pod), is_terminating(pod)) == (active, terminating)


@pytest.mark.parametrize(
    ("pod", "min_ready", "available", "at"),
    [
        (_pod(ready=None), 0, False, None),
        (_pod(ready=0), 0, True, NOW),
        (_pod(ready=9), 10, False, NOW + 1),
        (_pod(ready=10), 10, True, NOW),
        (_pod(ready=None), 10, False, None),
    ],
)
def test_available_is_ready_for_long_enough(pod: Pod, min_ready: int, available: bool, at: float | None) -> None:
    assert is_available(pod, min_ready, NOW) is available
    assert available_at(pod, min_ready) == at
    assert is_ready(pod) is (ready_since(pod) is not None)
