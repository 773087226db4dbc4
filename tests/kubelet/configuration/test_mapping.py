"""From a document to our configuration and back: no field is lost, and none acts that is said to do nothing."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kubelet.server.harness import around
from pilothouse.kubelet.config import KubeletConfig
from pilothouse.kubelet.configuration.fields import DURATION, leaves, look_up, put, upstream_defaults
from pilothouse.kubelet.configuration.mapping import (
    FIELDS,
    GATES,
    NO_EFFECT,
    configured,
    set_in_vain,
    tell_of_vain,
    wire,
)
from pilothouse.kubelet.configuration.merge import lay
from pilothouse.runtime.clock import SystemClock
from pilothouse.testing.fake_cri import FakeCri

SAMPLES: dict[str, Any] = {
    "evictionSoft": {"memory.available": "1Gi"}, "evictionHard": {"memory.available": "1Gi"},
    "evictionMinimumReclaim": {"memory.available": "1Gi"}, "kubeReserved": {"cpu": "1"},
    "evictionSoftGracePeriod": {"memory.available": "1m30s"}, "systemReserved": {"memory": "1Gi"},
    "cpuManagerPolicy": "static", "topologyManagerPolicy": "restricted", "topologyManagerScope": "pod",
    "cpuManagerPolicyOptions": {"full-pcpus-only": "true"},
    "topologyManagerPolicyOptions": {"prefer-closest-numa-nodes": "true"}, "memorySwap.swapBehavior": "LimitedSwap",
    "imagePullCredentialsVerificationPolicy": "AlwaysVerify", "enforceNodeAllocatable": ["pods", "kube-reserved"],
    "containerRuntimeEndpoint": "unix:///run/a.sock", "imageServiceEndpoint": "unix:///run/b.sock",
    "containerLogMaxSize": "5Mi", "reservedSystemCPUs": "0", "podLogsDir": "/logs", "resolvConf": "",
    "staticPodPath": "/pods", "memoryThrottlingFactor": 0.5, "memoryManagerPolicy": "Static",
    "reservedMemory": [{"numaNode": 1, "limits": {"memory": "1Gi"}}],
    "registerWithTaints": [{"key": "a", "effect": "NoSchedule"}], "logging.flushFrequency": "7s",
    "imageMaximumGCAge": "9h0m0s", "logging.format": "json",
    "shutdownGracePeriodByPodPriority": [{"priority": 5, "shutdownGracePeriodSeconds": 7}],
}  # fmt: skip
TOGETHER: dict[str, dict[str, Any]] = {
    "evictionSoft": {"evictionSoftGracePeriod": {"memory.available": "1s"}},
    "evictionSoftGracePeriod": {"evictionSoft": {"memory.available": "1Gi"}},
    "evictionMinimumReclaim": {"evictionHard": {"memory.available": "1Gi"}},
    "cpuManagerPolicyOptions": {"cpuManagerPolicy": "static"},
    "enforceNodeAllocatable": {"kubeReservedCgroup": "/kube"},
    "maxParallelImagePulls": {"serializeImagePulls": False},
    "shutdownGracePeriodCriticalPods": {"shutdownGracePeriod": "40s"},
}
"""What a sample needs besides."""


def sample(name: str) -> Any:
    """A value other than the default."""
    default, kind = look_up(upstream_defaults(), name), leaves()[name].lstrip("*")
    if name in SAMPLES:
        return SAMPLES[name]
    number = (default or 0) + 3 if not isinstance(default, str) else 0
    return {
        "bool": not default, DURATION: "33s", "string": "text", "[]string": ["text"], "[]int32": [23],
        "map[string]string": {"a": "b"}, "map[string]bool": {"a": True}, "map[string][]string": {"a": ["b"]},
        "quantity": "7",
    }.get(kind, number)  # fmt: skip


def document(name: str) -> dict[str, Any]:
    over: dict[str, Any] = {**TOGETHER.get(name, {})}
    put(over, name, sample(name))
    return lay(upstream_defaults(), over)


@pytest.fixture
def config(tmp_path: Path) -> KubeletConfig:
    bare = around(list, FakeCri(SystemClock()), tmp_path).config
    return configured(bare, upstream_defaults())


@pytest.mark.parametrize("name", [*FIELDS])
def test_a_field_with_an_effect_arrives_and_is_told(config: KubeletConfig, name: str) -> None:
    changed = configured(config, document(name))
    assert changed != config
    assert changed.no_effect == {}
    told = look_up(wire(changed), name)
    assert told == (None if name == "staticPodURLHeader" else sample(name))


@pytest.mark.parametrize("name", sorted(NO_EFFECT))
def test_a_field_without_changes_nothing_and_is_warned_of(
    config: KubeletConfig, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    changed = configured(config, document(name))
    assert replace(changed, no_effect={}) == config
    assert changed.no_effect == {name: sample(name)}
    tell_of_vain(changed)
    (record,) = caplog.records
    assert record.getMessage() == "A field of the kubelet's configuration has no effect"
    assert vars(record)["facts"] == {"field": name, "value": sample(name)}


def test_gates_that_are_settings_of_ours_arrive_and_are_told(config: KubeletConfig) -> None:
    on = config.exclusive
    assert (on.alpha_options, on.beta_options, on.unthrottled) == (False, True, True)
    gates = {
        "CPUManagerPolicyAlphaOptions": True, "CPUManagerPolicyBetaOptions": False,
        "DisableCPUQuotaWithExclusiveCPUs": False,
    }  # fmt: skip
    changed = configured(config, lay(upstream_defaults(), {"featureGates": {**gates, "Other": True}}))
    set_to = changed.exclusive
    assert (set_to.alpha_options, set_to.beta_options, set_to.unthrottled) == (True, False, False)
    assert changed.no_effect == {"featureGates": {"Other": True}}
    assert wire(changed)["featureGates"] == {**gates, "Other": True}
    assert {*GATES} == {*gates}


def test_defaults_are_nothing_to_warn_of(config: KubeletConfig) -> None:
    assert config.no_effect == {}
    assert set_in_vain(lay(upstream_defaults(), {"syncFrequency": "60s", "featureGates": {}, "qosReserved": {}})) == {}


def test_what_holds_whatever_is_set(config: KubeletConfig) -> None:
    vain = {"cgroupDriver": "systemd", "cgroupsPerQOS": False, "volumeStatsAggPeriod": "3s", "podsPerCore": 3}
    told = wire(configured(config, lay(upstream_defaults(), vain)))
    assert (told["cgroupDriver"], told["cgroupsPerQOS"], told["volumeStatsAggPeriod"]) == ("cgroupfs", True, "1m0s")
    assert told["podsPerCore"] == 3


def test_thresholds_are_told_as_they_are_watched(config: KubeletConfig) -> None:
    over = {"evictionHard": {"pid.available": "1"}, "mergeDefaultEvictionSettings": True}
    hard = wire(configured(config, lay(upstream_defaults(), over)))["evictionHard"]
    assert hard == {**upstream_defaults()["evictionHard"], "pid.available": "1"}


@pytest.mark.parametrize(
    ("over", "why"),
    [
        ({"evictionSoft": {"memory.available": "1Gi"}}, "grace period must be specified"),
        ({"kubeReserved": {"gpu": "1"}}, 'cannot reserve "gpu" resource'),
        ({"nodeStatusUpdateFrequency": "-1s"}, "nodeStatusUpdateFrequency -1s must be greater than zero"),
        ({"cpuManagerPolicy": "mine"}, 'unknown policy: "mine"'),
        ({"containerRuntimeEndpoint": "tcp://localhost:1"}, "only support unix socket endpoint"),
    ],
)
def test_what_only_our_blocks_refuse(config: KubeletConfig, over: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        configured(config, lay(upstream_defaults(), over))
