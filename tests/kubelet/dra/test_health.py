"""What drivers say of their devices holds for a while."""

from typing import Any

from pilothouse.kubelet.dra.health import HEALTHY, TIMEOUT, UNHEALTHY, Health, HealthBook, cut
from pilothouse.testing.loop import run

A, B = ("n1", "a"), ("n1", "b")
WELL, HOT = Health(HEALTHY), Health(UNHEALTHY, "too hot", 100.0)


def test_what_was_said_holds_for_a_while() -> None:
    async def story(clock: Any, _chance: object) -> None:
        book = HealthBook(clock)
        assert book.get("gpu", A) == Health()
        assert book.report("gpu", [(A, WELL), (B, HOT)]) == [A, B]
        assert (book.get("gpu", A), book.get("gpu", B), book.get("nic", A)) == (WELL, HOT, Health())
        await clock.sleep(TIMEOUT + 1)
        assert (book.get("gpu", A), book.get("gpu", B)) == (Health(), HOT)
        assert book.report("gpu", [(B, HOT)]) == [A], "nobody says any more how it is"
        assert book.report("gpu", [(A, WELL), (B, WELL)]) == [A, B]
        assert book.report("gpu", [(A, WELL), (B, WELL)]) == []
        assert book.report("gpu", [(B, WELL)]) == []
        assert book.get("gpu", A) == WELL
        assert sorted(book.clear("gpu")) == [A, B]
        assert book.get("gpu", B) == Health()

    run(story)


def test_messages_are_cut() -> None:
    assert cut("x" * 1024) == "x" * 1024
    assert cut("x" * 1025) == "x" * 1021 + "..."
    assert cut("ö" * 512) == "ö" * 512
    assert cut("ö" * 513) == "ö" * 510 + "...", "it is bytes that are counted"
