"""Which two points make a rate, as metrics-server's storage has it."""

import pytest

from pilothouse.apiserver.usage.points import Point, Points
from pilothouse.apiserver.usage.samples import Samples, Use

WEB = ("shop", "web")
SECOND = 10**9


def point(at: float, cpu: float, started: float = 1.0) -> Point:
    return Point(at, int(cpu * SECOND), 100, 0, started)


def of(*points: Point) -> Points:
    """A pod's containers c0, c1 and so on."""
    return Points(None, {WEB: {f"c{number}": one for number, one in enumerate(points)}})


def after(*said: Points) -> Samples:
    samples = Samples()
    for points in said:
        samples.take("n", points)
    return samples


def test_a_rate_needs_two_points() -> None:
    assert after(of(point(100, 10))).of_pod("n", WEB) == {}
    used = after(of(point(100, 10)), of(point(115, 13))).of_pod("n", WEB)
    assert used == {"c0": Use(115, 15, SECOND // 5, 100, 0)}


@pytest.mark.parametrize(
    ("second", "known"),
    [
        pytest.param(point(130, 1, started=101), False, id="started since"),
        pytest.param(point(115, 1), False, id="CPU time that fell"),
        pytest.param(point(115, 1, started=100), False, id="started when it was looked at"),
        pytest.param(point(115, 10), True, id="idle"),
        pytest.param(point(100, 10), False, id="the same point again"),
        pytest.param(point(99, 10), False, id="an older one"),
        pytest.param(point(115, 1, started=104), True, id="begun 11 seconds ago: its start counts"),
        pytest.param(point(115, 1, started=106), False, id="begun 9 seconds ago: too young"),
    ],
)
def test_of_one_life(second: Point, known: bool) -> None:
    assert bool(after(of(point(100, 10)), of(second)).of_pod("n", WEB)) is known


def test_a_young_container_is_measured_from_its_start() -> None:
    assert after(of(point(115, 6, started=103))).of_pod("n", WEB) == {"c0": Use(115, 12, SECOND // 2, 100, 0)}


def test_a_point_that_comes_twice_leaves_the_rate_as_it_is() -> None:
    used = after(of(point(100, 10)), of(point(110, 11)), of(point(110, 11))).of_pod("n", WEB)
    assert used["c0"].window == 10


def test_a_pod_waits_for_the_last_of_its_containers() -> None:
    samples = after(of(point(100, 10)), of(point(115, 13), point(115, 1, started=112)))
    assert samples.of_pod("n", WEB) == {}
    samples.take("n", of(point(130, 14), point(130, 2, started=112)))
    assert [*samples.of_pod("n", WEB)] == ["c0", "c1"]
    samples.take("n", of(point(145, 14)))
    assert [*samples.of_pod("n", WEB)] == ["c0"]


def test_a_node() -> None:
    samples = after(Points(Point(100, SECOND, 5), {}), Points(Point(102, 2 * SECOND, 7, 3), {}))
    assert samples.of_node("n") == Use(102, 2, SECOND // 2, 7, 3)
    assert samples.of_node("other") is None
    samples.take("n", Points(None, {}))
    assert samples.of_node("n") is None


def test_a_kubelet_speaks_of_its_own_pods_alone() -> None:
    samples = after(of(point(100, 10)), of(point(115, 13)))
    assert samples.of_pod("other", WEB) == {}


def test_after_silence_it_begins_anew() -> None:
    samples = after(of(point(100, 10)), of(point(115, 13)))
    samples.forget("n")
    samples.take("n", of(point(130, 14)))
    assert samples.of_pod("n", WEB) == {}
