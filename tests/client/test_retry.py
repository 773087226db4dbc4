import pytest

from pilothouse.api.machinery import errors
from pilothouse.client.retry import retry_on_conflict
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.testing.loop import run


@pytest.mark.parametrize(("conflicts", "succeeds"), [(0, True), (1, True), (4, True), (5, False)])
def test_some_conflicts_are_met_again(conflicts: int, succeeds: bool) -> None:
    async def main(clock: LoopClock, chance: Chance) -> int:
        attempts = 0

        async def attempt() -> int:
            nonlocal attempts
            attempts += 1
            if attempts <= conflicts:
                raise errors.conflict("pods", "", "a")
            return attempts

        return await retry_on_conflict(clock, attempt)

    if succeeds:
        assert run(main) == conflicts + 1
    else:
        with pytest.raises(errors.Conflict):
            run(main)
