from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.rate_limit import TokenBucket
from pilothouse.testing.loop import run


def test_a_burst_then_the_rate() -> None:
    async def main(clock: LoopClock, chance: Chance) -> list[float]:
        bucket = TokenBucket(rate=2, burst=3, clock=clock)
        times = []
        for _ in range(6):
            await bucket.wait()
            times.append(clock.monotonic())
        return times

    assert run(main) == [0, 0, 0, 0.5, 1.0, 1.5]


def test_take_refuses_rather_than_waits() -> None:
    async def main(clock: LoopClock, chance: Chance) -> list[bool]:
        bucket = TokenBucket(rate=1 / 300, burst=2, clock=clock)
        seen = [bucket.take() for _ in range(3)]
        await clock.sleep(299)
        seen.append(bucket.take())
        await clock.sleep(2)
        seen.append(bucket.take())
        await clock.sleep(3000)
        return [*seen, bucket.take(), bucket.take(), bucket.take()]

    assert run(main) == [True, True, False, False, True, True, True, False]
