"""When kubelets are asked, and how long who wants to know waits."""

from itertools import pairwise

import pytest

from apiserver.usage.stage import Stage, tell
from pilothouse.apiserver.usage import scraper


def test_nobody_asks_and_nothing_happens() -> None:
    async def story(stage: Stage) -> None:
        await stage.node("n")
        await stage.clock.sleep(1000)
        assert stage.kubelets.asked == []

    tell(story)


def test_the_first_answer_takes_two_points_and_the_next_nothing() -> None:
    async def story(stage: Stage) -> None:
        await stage.node("n")
        before = stage.clock.monotonic()
        assert await stage.names("nodes") == ["n"]
        assert stage.clock.monotonic() - before == scraper.APART
        assert await stage.names("nodes") == ["n"]
        assert stage.clock.monotonic() - before == scraper.APART

    tell(story)


def test_then_there_is_a_point_every_fifteen_seconds_until_nobody_has_asked_for_long() -> None:
    async def story(stage: Stage) -> None:
        await stage.node("n")
        await stage.names("nodes")
        await stage.clock.sleep(1000)
        times = [at for at, _ in stage.kubelets.asked]
        assert [round(later - at, 1) for at, later in pairwise(times)][:3] == [1.5, 15, 15]
        assert times[-1] - times[0] < scraper.IDLE + 20
        assert await stage.names("nodes") == ["n"]
        assert stage.kubelets.asked[-1][0] > times[-1] + 600

    tell(story)


def test_after_a_rest_rates_are_not_those_of_the_time_before_it() -> None:
    async def story(stage: Stage) -> None:
        await stage.node("n")
        await stage.names("nodes")
        # The second answer of the new start is the first once more, as those of other kubelets are.
        await stage.clock.sleep(1000)
        stage.kubelets.fresh = 10.0
        await stage.clock.sleep(10 - stage.clock.now() % 10)
        assert await stage.names("nodes") == []

    tell(story)


@pytest.mark.parametrize("number", ["Inf", "NaN"])
def test_a_kubelet_that_says_what_cannot_be_is_no_trouble_for_the_others(number: str) -> None:
    async def story(stage: Stage) -> None:
        for name in ("n", "m"):
            await stage.node(name)
        stage.kubelets.lies["m"] = f"node_memory_working_set_bytes {number}\n"
        for _ in range(2):
            assert await stage.names("nodes") == ["n"]
            await stage.clock.sleep(20)

    tell(story)


def test_who_asks_keeps_it_going() -> None:
    async def story(stage: Stage) -> None:
        await stage.node("n")
        for _ in range(10):
            await stage.names("nodes")
            await stage.clock.sleep(200)
        assert stage.kubelets.asked[-1][0] > 1980

    tell(story)


@pytest.mark.parametrize("trouble", ["silent", "refusing"])
def test_one_node_in_trouble_is_no_trouble_for_the_others(trouble: str) -> None:
    async def story(stage: Stage) -> None:
        for name in ("n", "m"):
            await stage.node(name)
        getattr(stage.kubelets, trouble).add("m")
        before = stage.clock.monotonic()
        assert await stage.names("nodes") == ["n"]
        assert stage.clock.monotonic() - before <= scraper.PATIENCE
        getattr(stage.kubelets, trouble).clear()
        await stage.clock.sleep(50)
        assert await stage.names("nodes") == ["m", "n"]

    tell(story)


def test_who_looks_for_the_reason_finds_it_in_the_log_once(caplog: pytest.LogCaptureFixture) -> None:
    async def story(stage: Stage) -> None:
        for name in ("n", "m"):
            await stage.node(name)
            stage.kubelets.refusing.add(name)
        for _ in range(3):
            await stage.names("nodes")
            await stage.clock.sleep(20)
        (line,) = (record for record in caplog.records if "do not say" in record.message)
        facts = vars(line)["facts"]
        assert (line.levelname, facts["nodes"], facts["why"]) == ("WARNING", 2, "connection refused")

    tell(story)


def test_a_silent_node_is_asked_once_at_a_time() -> None:
    async def story(stage: Stage) -> None:
        await stage.node("n")
        stage.kubelets.silent.add("n")
        assert await stage.names("nodes") == []
        await stage.clock.sleep(50)
        times = [at for at, _ in stage.kubelets.asked]
        assert min(later - at for at, later in pairwise(times)) >= 10

    tell(story)


def test_a_kubelet_that_says_the_same_for_long_is_waited_for_once() -> None:
    async def story(stage: Stage) -> None:
        await stage.node("n")
        stage.kubelets.fresh = 10.0
        assert await stage.names("nodes") == []
        await stage.clock.sleep(31)
        assert await stage.names("nodes") == ["n"]

    tell(story)


def test_a_node_that_goes_is_forgotten() -> None:
    async def story(stage: Stage) -> None:
        await stage.node("n")
        await stage.node("m")
        await stage.names("nodes")
        await stage.send("DELETE", "/api/v1/nodes/n")
        assert await stage.names("nodes") == ["m"]
        await stage.clock.sleep(20)
        await stage.node("n")
        assert await stage.names("nodes") == ["m"]

    tell(story)
