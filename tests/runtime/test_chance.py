import os
from collections import Counter
from uuid import UUID

import pytest

from pilothouse.runtime.chance import Chance

ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


def test_suffixes_are_made_of_all_letters_in_every_place() -> None:
    chance = Chance(1)
    made = [chance.suffix() for _ in range(2700)]
    assert {len(suffix) for suffix in made} == {5}
    for place in range(5):
        counts = Counter(suffix[place] for suffix in made)
        assert "".join(sorted(counts)) == "".join(sorted(ALPHABET))
        assert 60 < min(counts.values()) <= max(counts.values()) < 150, "each about a hundred times"
    assert len(chance.suffix(12)) == 12


def test_the_same_seed_gives_the_same_names() -> None:
    one, other, third = Chance(7), Chance(7), Chance(8)
    assert [one.suffix(), one.uid()] == [other.suffix(), other.uid()]
    assert one.suffix() != third.suffix()


def test_a_uid_is_a_random_uuid() -> None:
    uid = UUID(Chance().uid())
    assert (uid.version, uid.variant) == (4, "specified in RFC 4122")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes the kernel was asked for, each time."""
    sizes: list[int] = []
    urandom = os.urandom

    def counted(size: int) -> bytes:
        sizes.append(size)
        return urandom(size)

    monkeypatch.setattr(os, "urandom", counted)
    return sizes


def test_the_kernel_is_asked_for_many_draws_at_once(asked: list[int]) -> None:
    chance = Chance()
    made = {chance.uid() for _ in range(32)} | {chance.suffix() for _ in range(32)}
    assert len(made) == 64
    assert asked == [1024]
    chance.uniform(0.0, 1.0)
    assert asked == [1024, 1024]
    assert len(chance.suffix(40)) == 40, "more than a draw holds"
    assert asked[2:] == [44]


def test_a_process_that_was_forked_draws_its_own(monkeypatch: pytest.MonkeyPatch, asked: list[int]) -> None:
    chance = Chance()
    chance.uid()
    monkeypatch.setattr(os, "getpid", lambda: -1)
    chance.uid()
    assert asked == [1024, 1024]


def test_every_number_comes_about_as_often() -> None:
    chance = Chance()
    counts = Counter(chance.below(8) for _ in range(8000))
    assert sorted(counts) == list(range(8))
    assert 800 < min(counts.values()) <= max(counts.values()) < 1200
    assert 0.4 < sum(chance.uniform(0.0, 1.0) for _ in range(2000)) / 2000 < 0.6
