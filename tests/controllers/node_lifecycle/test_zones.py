import pytest

from pilothouse.api.types.core_v1 import Node
from pilothouse.controllers.node_lifecycle.settings import NodeLifecycleSettings
from pilothouse.controllers.node_lifecycle.zones import (
    Turn,
    ZoneQueue,
    ZoneState,
    eviction_rate,
    look_out,
    zone_of,
    zone_state,
)
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.testing.loop import run

INITIAL, NORMAL, PARTIAL, FULL = ZoneState
SETTINGS = NodeLifecycleSettings()


@pytest.mark.parametrize(
    ("ready", "failing", "state"),
    [
        (0, 0, NORMAL),
        (1, 0, NORMAL),
        (0, 1, FULL),
        (0, 9, FULL),
        (1, 2, NORMAL),
        (1, 3, PARTIAL),
        (9, 11, PARTIAL),
        (10, 11, NORMAL),
    ],
)
def test_how_a_zone_is(ready: int, failing: int, state: ZoneState) -> None:
    assert zone_state([True] * ready + [False] * failing, 0.55) is state


@pytest.mark.parametrize(
    ("before", "ready", "after", "turn"),
    [
        ({}, {}, {}, Turn.NONE),
        ({}, {"a": [True]}, {"a": NORMAL}, Turn.NONE),
        ({"a": NORMAL}, {"a": [False]}, {"a": FULL}, Turn.STOP),
        ({"a": NORMAL, "b": NORMAL}, {"a": [False], "b": [True]}, {"a": FULL, "b": NORMAL}, Turn.NONE),
        ({"a": FULL, "b": NORMAL}, {"a": [False], "b": [False]}, {"a": FULL, "b": FULL}, Turn.STOP),
        ({"a": FULL, "b": FULL}, {"a": [False], "b": [False]}, {"a": FULL, "b": FULL}, Turn.NONE),
        ({"a": FULL, "b": FULL}, {"a": [False], "b": [True]}, {"a": FULL, "b": NORMAL}, Turn.RESUME),
    ],
)
def test_the_whole_cluster(
    before: dict[str, ZoneState], ready: dict[str, list[bool]], after: dict[str, ZoneState], turn: Turn
) -> None:
    outlook = look_out(before, ready, 0.55)
    assert (outlook.states, outlook.turn) == (after, turn)


@pytest.mark.parametrize(
    ("state", "size", "rate"), [(NORMAL, 5, 0.1), (FULL, 500, 0.1), (PARTIAL, 50, 0.0), (PARTIAL, 51, 0.01)]
)
def test_how_fast_pods_leave(state: ZoneState, size: int, rate: float) -> None:
    assert eviction_rate(state, size, SETTINGS) == rate


@pytest.mark.parametrize(
    ("labels", "zone"),
    [
        ({}, ""),
        ({"topology.kubernetes.io/zone": "a"}, "/a"),
        ({"topology.kubernetes.io/zone": "a", "topology.kubernetes.io/region": "r"}, "r/a"),
        ({"failure-domain.beta.kubernetes.io/zone": "a"}, "/a"),
    ],
)
def test_which_zone(labels: dict[str, str], zone: str) -> None:
    assert zone_of(Node({"metadata": {"labels": labels}})) == zone


def test_nodes_have_their_turn_at_the_zones_rate() -> None:
    async def main(clock: LoopClock, _chance: Chance) -> None:
        queue = ZoneQueue(0.1, clock)
        assert queue.again() is None
        for name in ("a", "b", "a", "c"):
            queue.add(name)
        assert [queue.next(), queue.next()] == ["a", None]
        assert queue.again() == 1.0
        await clock.sleep(10)
        queue.remove("b")
        assert [queue.next(), queue.next()] == ["c", None]
        queue.add("d")
        queue.set_rate(0.0)
        await clock.sleep(100)
        assert (queue.next(), queue.again()) == (None, None)
        queue.set_rate(0.1)
        assert queue.next() == "d"

    run(main)


def test_a_new_rate_gives_no_turn_away() -> None:
    async def main(clock: LoopClock, _chance: Chance) -> None:
        queue = ZoneQueue(0.1, clock)
        for name in ("a", "b"):
            queue.add(name)
        assert queue.next() == "a"
        queue.set_rate(0.01)
        assert queue.next() is None
        await clock.sleep(100)
        assert queue.next() == "b"

    run(main)
