"""What of upstream's settings fits together, and what each means."""

import pytest

from pilothouse.kubelet.images.policy import ImagePolicy


@pytest.mark.parametrize(("settings", "message"), [
    ({"high_threshold": 101}, "imageGCHighThresholdPercent 101 must be between 0 and 100, inclusive"),
    ({"low_threshold": -1}, "imageGCLowThresholdPercent -1 must be between 0 and 100, inclusive"),
    ({"low_threshold": 85}, "imageGCLowThresholdPercent 85 must be less than imageGCHighThresholdPercent 85"),
    ({"maximum_age": -1.0}, "imageMaximumGCAge -1s must not be negative"),
    ({"maximum_age": 60.0}, "imageMaximumGCAge 60s must be greater than imageMinimumGCAge 120s"),
    ({"max_parallel_pulls": 0}, "maxParallelImagePulls 0 must be a positive number"),
    ({"pull_rate": -1}, "registryPullQPS -1 must not be a negative number"),
    ({"pull_burst": -1}, "registryBurst -1 must not be a negative number"),
    ({"max_parallel_pulls": 2, "serialize_pulls": True},
     "maxParallelImagePulls cannot be larger than 1 unless SerializeImagePulls set to false"),
])  # fmt: skip
def test_what_does_not_fit(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError) as told:
        ImagePolicy(**settings)  # type: ignore[arg-type]
    assert str(told.value) == message


@pytest.mark.parametrize(("serialize", "most", "at_once"), [
    (None, None, 1), (None, 1, 1), (None, 2, 2), (True, None, 1), (True, 1, 1), (False, None, None), (False, 3, 3),
])  # fmt: skip
def test_how_many_pulls_run_at_once(serialize: bool | None, most: int | None, at_once: int | None) -> None:
    assert ImagePolicy(serialize_pulls=serialize, max_parallel_pulls=most).at_once == at_once


@pytest.mark.parametrize(("high", "oldest", "collects"), [(85, 0.0, True), (100, 0.0, False), (100, 600.0, True)])
def test_whether_images_go_at_all(high: int, oldest: float, collects: bool) -> None:
    assert ImagePolicy(high_threshold=high, maximum_age=oldest).collects is collects
