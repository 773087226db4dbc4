"""Layers: which of several says what holds."""

from typing import Any

import pytest

from pilothouse.kubelet.configuration.fields import look_up, upstream_defaults
from pilothouse.kubelet.configuration.files import ConfigurationError
from pilothouse.kubelet.configuration.merge import Layers, lay, merged

OURS = {"imageGCHighThresholdPercent": 95, "imageGCLowThresholdPercent": 90, "serializeImagePulls": False,
        "maxParallelImagePulls": 5, "clusterDomain": "our.domain"}  # fmt: skip


def of(name: str, *, base: dict[str, Any] | None = None, **layers: Any) -> Any:
    return look_up(merged(lay(upstream_defaults(), base or {}), Layers(**layers)), name)


@pytest.mark.parametrize(
    ("name", "layers", "value"),
    [
        ("maxPods", {}, 110),
        ("maxPods", {"file": {"maxPods": 1}}, 1),
        ("maxPods", {"file": {"maxPods": 1}, "further": [{"maxPods": 2}, {"maxPods": 3}]}, 3),
        ("maxPods", {"file": {"maxPods": 1}, "further": [{"maxPods": 2}], "flags": {"maxPods": 4}}, 4),
        ("maxPods", {"file": {"maxPods": 1}, "further": [{"maxPods": None}]}, 110),
        ("maxPods", {"file": {"maxPods": 1}, "further": [{"maxPods": 0}]}, 110),
        # A file has all to say of a map, a further one adds to it; a null takes one entry away, or the default back.
        ("evictionHard", {"file": {"evictionHard": {"pid.available": "1"}}}, {"pid.available": "1"}),
        ("evictionHard", {"file": {"evictionHard": {}}}, {}),
        ("evictionHard", {"file": {"evictionHard": {"pid.available": "1"}},
                          "further": [{"evictionHard": {"memory.available": "1Gi"}}]},
         {"pid.available": "1", "memory.available": "1Gi"}),
        ("kubeReserved", {"file": {"kubeReserved": {"cpu": "1", "memory": "1Gi"}},
                          "further": [{"kubeReserved": {"cpu": None}}]}, {"memory": "1Gi"}),
        ("evictionHard.nodefs\\.available", {"further": [{"evictionHard": {"pid.available": "1"}}]}, None),
        # Lists are replaced whole.
        ("clusterDNS", {"file": {"clusterDNS": ["a", "b"]}, "further": [{"clusterDNS": ["c"]}]}, ["c"]),
        ("enforceNodeAllocatable", {"file": {"enforceNodeAllocatable": []}}, []),
        # Structs are laid over field by field.
        ("authentication.webhook.cacheTTL", {"file": {"authentication": {"webhook": {"enabled": False}}}}, "2m0s"),
        ("authentication.webhook.enabled", {"file": {"authentication": {"webhook": {"enabled": False}}}}, False),
        # Defaults that depend on others.
        ("serializeImagePulls", {"file": {"maxParallelImagePulls": 2}}, False),
        ("serializeImagePulls", {"file": {"maxParallelImagePulls": 1}}, True),
        ("serializeImagePulls", {"file": {"maxParallelImagePulls": 2, "serializeImagePulls": True}}, True),
        ("nodeStatusReportFrequency", {"file": {"nodeStatusUpdateFrequency": "20s"}}, "20s"),
        ("nodeStatusReportFrequency", {}, "5m0s"),
    ],
)  # fmt: skip
def test_which_layer_holds(name: str, layers: dict[str, Any], value: Any) -> None:
    assert of(name, **layers) == value


def test_a_further_file_adds_to_the_default_thresholds() -> None:
    hard = of("evictionHard", further=[{"evictionHard": {"pid.available": "1"}}])
    assert hard == {**upstream_defaults()["evictionHard"], "pid.available": "1"}


@pytest.mark.parametrize(
    ("name", "layers", "value"),
    [
        ("clusterDomain", {}, "our.domain"),
        ("clusterDomain", {"further": [{"clusterDomain": None}]}, "our.domain"),
        ("imageGCLowThresholdPercent", {"file": {"maxPods": 1}}, 90),
        ("imageGCLowThresholdPercent", {"file": {"imageGCHighThresholdPercent": 85}}, 80),
        ("imageGCLowThresholdPercent", {"further": [{"imageGCHighThresholdPercent": 85}]}, 80),
        ("maxParallelImagePulls", {"file": {"serializeImagePulls": True}}, None),
        ("maxParallelImagePulls", {}, 5),
    ],
)
def test_defaults_of_our_own_go_where_they_would_not_fit(name: str, layers: dict[str, Any], value: Any) -> None:
    assert of(name, base=OURS, **layers) == value


def test_a_merged_document_that_cannot_be_read() -> None:
    with pytest.raises(ConfigurationError, match=r"failed to merge kubelet configs: .*maxPods of type int32"):
        of("maxPods", further=[{"maxPods": "many"}])
