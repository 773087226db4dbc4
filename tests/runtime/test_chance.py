import random  # noqa: TID251 - whose calls are counted
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


def test_a_name_asks_the_kernel_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0
    getrandbits = random.SystemRandom.getrandbits

    def counted(self: random.SystemRandom, k: int) -> int:
        nonlocal asked
        asked += 1
        return getrandbits(self, k)

    def unused(self: random.SystemRandom) -> float:
        raise AssertionError("another way to ask")

    monkeypatch.setattr(random.SystemRandom, "getrandbits", counted)
    monkeypatch.setattr(random.SystemRandom, "random", unused)
    assert Chance().suffix()
    assert asked == 1
