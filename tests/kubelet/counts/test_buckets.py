"""Bounds as upstream's library makes them."""

from pilothouse.kubelet.counts.buckets import exponential


def test_each_bound_is_a_multiple_of_the_one_before() -> None:
    assert exponential(1, 2, 5) == (1, 2, 4, 8, 16)
    assert exponential(0.005, 2.5, 3) == (0.005, 0.0125, 0.03125)
