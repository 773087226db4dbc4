"""Demand over time."""

import pytest

from pilothouse.apiserver.flowcontrol.demand import Demand
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.testing.loop import run


def test_average_spread_peak_and_memory() -> None:
    async def story(clock: LoopClock, _: Chance) -> None:
        demand = Demand(clock)
        demand.add(4)
        await clock.sleep(5)
        demand.add(-4)
        await clock.sleep(5)
        demand.look()
        assert (demand.average, demand.deviation, demand.high) == (2.0, 2.0, 4.0)
        assert demand.smoothed == 4.0
        await clock.sleep(10)
        demand.look()
        assert (demand.average, demand.high) == (0.0, 0.0)
        assert demand.smoothed == pytest.approx(4 * 0.977)
        await clock.sleep(100)
        demand.look()
        assert demand.smoothed == pytest.approx(4 * 0.977**11), "what nobody looked at is forgotten as fast"

    run(story)
