"""What is read of a kubelet's page."""

import pytest

from pilothouse.apiserver.usage.points import Point, read_points

C = '{container="c",namespace="shop",pod="web"}'
D = '{container="d",namespace="shop",pod="web"}'
WHOLE = f"""\
# HELP container_cpu_usage_seconds_total [STABLE] Cumulative cpu time
container_cpu_usage_seconds_total{C} 1.5 2000
container_memory_working_set_bytes{C} 5.241856e+06 2000
container_swap_usage_bytes{C} 4096 2000
container_start_time_seconds{C} 1.25
node_cpu_usage_seconds_total 12.25 3000
node_memory_working_set_bytes 1.0737408e+09 3000
pod_cpu_usage_seconds_total{{namespace="shop",pod="web"}} 3 2000
resource_scrape_error 0
"""


def test_a_page() -> None:
    found = read_points(WHOLE, 9.0)
    assert found.node == Point(3.0, 12_250_000_000, 1_073_740_800)
    assert found.pods == {("shop", "web"): {"c": Point(2.0, 1_500_000_000, 5_241_856, 4096, 1.25)}}


def test_labels_come_in_any_order_and_times_may_be_missing() -> None:
    labels = '{pod="web",namespace="shop",container="c"}'
    page = f"container_cpu_usage_seconds_total{labels} 1\ncontainer_memory_working_set_bytes{labels} 2\n"
    assert read_points(page, 9.0).pods == {("shop", "web"): {"c": Point(9.0, 1_000_000_000, 2)}}


@pytest.mark.parametrize(
    "missing",
    [
        pytest.param(f"container_memory_working_set_bytes{D} 2 2000\n", id="no CPU"),
        pytest.param(f"container_cpu_usage_seconds_total{D} 2 2000\n", id="no memory"),
        pytest.param(
            f"container_cpu_usage_seconds_total{D} 0 2000\ncontainer_memory_working_set_bytes{D} 2 2000\n", id="zero"
        ),
        pytest.param(f"container_start_time_seconds{D} 2\n", id="only begun"),
    ],
)
def test_a_pod_of_which_one_container_is_incomplete_is_left_out(missing: str) -> None:
    assert read_points(WHOLE + missing, 9.0).pods == {}


def test_a_node_that_is_incomplete_is_left_out() -> None:
    assert read_points("node_cpu_usage_seconds_total 12.25 3000\n", 9.0).node is None
    assert read_points("", 9.0).node is None


@pytest.mark.parametrize("value", ["what", "NaN", "Inf", "-Inf", "-1", "1e300", "9" * 40])
def test_what_cannot_have_been_measured_is_refused(value: str) -> None:
    for metric in ("cpu_usage_seconds_total", "memory_working_set_bytes", "swap_usage_bytes"):
        with pytest.raises(ValueError, match=r"could not convert|was not measured"):
            read_points(f"node_{metric} {value} 3000\n", 9.0)
    with pytest.raises(ValueError, match=r"could not convert|was not measured"):
        read_points(f"container_start_time_seconds{C} {value}\n", 9.0)


@pytest.mark.parametrize("at", ["-1", "253402300800000", "9" * 20])
def test_times_that_nobody_can_write_down_are_refused(at: str) -> None:
    with pytest.raises(ValueError, match="was not measured"):
        read_points(f"node_cpu_usage_seconds_total 1 {at}\n", 9.0)


def test_what_is_far_too_long_is_not_even_looked_at() -> None:
    for line in (f"node_swap_usage_bytes {'9' * 9999} 3000", f"node_swap_usage_bytes 9 {'9' * 9999}"):
        assert read_points(WHOLE + line + "\n", 9.0) == read_points(WHOLE, 9.0)


@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param("node_swap_usage_bytes{\n" * 60_000, id="labels without an end"),
        pytest.param("node_swap_usage_bytes{" + "x" * 200_000 + "} 1\n", id="a label without a value"),
    ],
)
def test_reading_takes_time_in_proportion(hostile: str) -> None:
    assert read_points(hostile + WHOLE, 9.0) == read_points(WHOLE, 9.0)
