from pilothouse.runtime.metrics import CONTENT_TYPE, Metrics, cumulated


def test_the_page_shows_what_was_counted() -> None:
    metrics = Metrics()
    metrics.counter("workqueue_adds", "Adds", ["name"]).labels("deployment").inc(2)
    metrics.gauge("workqueue_depth", "Depth").set(5)
    metrics.histogram("rest_client_seconds", "Latency", buckets=(0.1, 1)).observe(0.5)
    page = metrics.page().decode()
    assert 'workqueue_adds_total{name="deployment"} 2.0' in page
    assert "workqueue_depth 5.0" in page
    assert 'rest_client_seconds_bucket{le="0.1"} 0.0' in page
    assert 'rest_client_seconds_bucket{le="1.0"} 1.0' in page
    assert CONTENT_TYPE.startswith("text/plain")


def test_a_counter_may_have_any_name() -> None:
    metrics = Metrics()
    metrics.tally("kubelet_evictions", "Evicted", ["signal"]).labels("a b").inc()
    metrics.counter("kubelet_evictions_more_total", "Others").inc(2)
    assert metrics.page().decode().splitlines() == [
        "# HELP kubelet_evictions Evicted",
        "# TYPE kubelet_evictions counter",
        'kubelet_evictions{signal="a b"} 1.0',
        "# HELP kubelet_evictions_more_total Others",
        "# TYPE kubelet_evictions_more_total counter",
        "kubelet_evictions_more_total 2.0",
    ]


def test_two_registries_do_not_meet() -> None:
    first, second = Metrics(), Metrics()
    first.counter("same_name", "Once")
    second.counter("same_name", "Again")
    assert b"Once" in first.page()
    assert b"Once" not in second.page()


def test_each_bucket_counts_what_is_less_too() -> None:
    assert cumulated([1, 0, 2], (0.5, 1.0)) == [("0.5", 1.0), ("1.0", 1.0), ("+Inf", 3.0)]
    assert cumulated([1, 0, 2], (0.5, 1.0), at_once=4) == [("0.5", 5.0), ("1.0", 5.0), ("+Inf", 7.0)]
