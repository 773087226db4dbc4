import pytest

from pilothouse.runtime.backoff import Backoff, Growth, KeyedBackoff
from pilothouse.runtime.chance import Chance


@pytest.mark.parametrize(
    ("growth", "waits"),
    [
        (Growth(first=1, limit=10), [1, 2, 4, 8, 10, 10]),
        (Growth(first=0.8, limit=30, factor=3), [0.8, 2.4, 7.2, 21.6, 30, 30]),
        (Growth(first=5, limit=5), [5, 5, 5]),
    ],
)
def test_waits_grow_to_the_limit(growth: Growth, waits: list[float]) -> None:
    backoff = Backoff(growth)
    assert [backoff.next() for _ in waits] == pytest.approx(waits)
    backoff.reset()
    assert backoff.next() == pytest.approx(waits[0])


def test_a_thousand_failures_do_not_overflow() -> None:
    assert Growth(first=0.005, limit=1000).wait(10_000) == 1000


def test_jitter_only_adds_and_replays() -> None:
    growth = Growth(first=10, limit=100, jitter=0.5)
    waits = [Backoff(growth, Chance(seed)).next() for seed in range(50)]
    assert all(10 <= wait <= 15 for wait in waits)
    assert len(set(waits)) > 10
    assert waits[3] == Backoff(growth, Chance(3)).next()


def test_keys_fail_by_themselves() -> None:
    backoff: KeyedBackoff[str] = KeyedBackoff(Growth(first=1, limit=100))
    assert [backoff.next("a"), backoff.next("a"), backoff.next("b")] == [1, 2, 1]
    assert backoff.failures("a") == 2
    backoff.forget("a")
    assert backoff.next("a") == 1
