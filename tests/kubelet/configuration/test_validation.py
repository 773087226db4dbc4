"""What a whole KubeletConfiguration must not say, in upstream's words: those of its tests where it has them.

*Assumed*: which gates are on at v1.37.
"""

from typing import Any

import pytest

from pilothouse.kubelet.configuration.fields import upstream_defaults
from pilothouse.kubelet.configuration.merge import lay
from pilothouse.kubelet.configuration.validation import aggregate, errors

TOPOLOGIES = '["none" "best-effort" "restricted" "single-numa-node"]'


def gate(name: str, on: bool) -> dict[str, Any]:
    return {"featureGates": {name: on}}


def found(over: dict[str, Any], *, cgroup_v2: bool = True) -> list[str]:
    return [
        text.removeprefix("invalid configuration: ")
        for text in errors(lay(upstream_defaults(), over), cgroup_v2=cgroup_v2)
    ]


def test_the_defaults_are_right() -> None:
    assert found({}) == []


@pytest.mark.parametrize(
    ("over", "wrong"),
    [
        ({"nodeLeaseDurationSeconds": -1}, "nodeLeaseDurationSeconds must be greater than 0"),
        ({"systemCgroups": "/"},
         "systemCgroups (--system-cgroups) was specified and cgroupRoot (--cgroup-root) was not specified"),
        ({"eventBurst": -1}, "eventBurst (--event-burst) -1 must not be a negative number"),
        ({"eventRecordQPS": -1}, "eventRecordQPS (--event-qps) -1 must not be a negative number"),
        ({"kubeAPIBurst": -1}, "kubeAPIBurst (--kube-api-burst) -1 must not be a negative number"),
        ({"kubeAPIQPS": -1}, "kubeAPIQPS (--kube-api-qps) -1 must not be a negative number"),
        ({"maxOpenFiles": -1}, "maxOpenFiles (--max-open-files) -1 must not be a negative number"),
        ({"maxPods": -1}, "maxPods (--max-pods) -1 must not be a negative number"),
        ({"podsPerCore": -1}, "podsPerCore (--pods-per-core) -1 must not be a negative number"),
        ({"registryBurst": -1}, "registryBurst (--registry-burst) -1 must not be a negative number"),
        ({"registryPullQPS": -1}, "registryPullQPS (--registry-qps) -1 must not be a negative number"),
        ({"healthzPort": 65536}, "healthzPort (--healthz-port) 65536 must be between 1 and 65535, inclusive"),
        ({"port": 65536}, "port (--port) 65536 must be between 1 and 65535, inclusive"),
        ({"readOnlyPort": 65536}, "readOnlyPort (--read-only-port) 65536 must be between 0 and 65535, inclusive"),
        ({"oomScoreAdj": 1001}, "oomScoreAdj (--oom-score-adj) 1001 must be between -1000 and 1000, inclusive"),
        ({"imageGCHighThresholdPercent": 101},
         "imageGCHighThresholdPercent (--image-gc-high-threshold) 101 must be between 0 and 100, inclusive"),
        ({"imageGCLowThresholdPercent": -1},
         "imageGCLowThresholdPercent (--image-gc-low-threshold) -1 must be between 0 and 100, inclusive"),
        ({"imageGCHighThresholdPercent": 80},
         ("imageGCLowThresholdPercent (--image-gc-low-threshold) 80 must be less than "
         "imageGCHighThresholdPercent (--image-gc-high-threshold) 80")),
        ({"iptablesDropBit": 32}, "iptablesDropBit (--iptables-drop-bit) 32 must be between 0 and 31, inclusive"),
        ({"iptablesMasqueradeBit": 32},
         "iptablesMasqueradeBit (--iptables-masquerade-bit) 32 must be between 0 and 31, inclusive"),
        ({"nodeStatusMaxImages": -2}, "nodeStatusMaxImages (--node-status-max-images) -2 must be -1 or greater"),
        ({"cpuCFSQuotaPeriod": "200ms"},
         "cpuCFSQuotaPeriod (--cpu-cfs-quota-period) {200ms} requires feature gate CustomCPUCFSQuotaPeriod"),
        ({"cpuCFSQuotaPeriod": "2s", **gate("CustomCPUCFSQuotaPeriod", True)},
         "cpuCFSQuotaPeriod (--cpu-cfs-quota-period) {2s} must be between 1ms and 1sec, inclusive"),
        ({"imageMaximumGCAge": "-1ns"}, "imageMaximumGCAge -1ns must not be negative"),
        ({"imageMinimumGCAge": "-1ns"}, "imageMinimumGCAge -1ns must not be negative"),
        ({"imageMaximumGCAge": "1ns", "imageMinimumGCAge": "2ns"},
         "imageMaximumGCAge 1ns must be greater than imageMinimumGCAge 2ns"),
        ({"imageMaximumGCAge": "1h", **gate("ImageMaximumGCAge", False)},
         "ImageMaximumGCAge feature gate is required for Kubelet configuration option imageMaximumGCAge"),
        ({"draManagerReconcilePeriod": "-1s"}, "draManagerReconcilePeriod -1s must be greater than zero"),
        ({"maxParallelImagePulls": 0}, "maxParallelImagePulls 0 must be a positive number"),
        ({"maxParallelImagePulls": 3},
         ("maxParallelImagePulls cannot be larger than 1 unless SerializeImagePulls (--serialize-image-pulls) "
         "is set to false")),
        ({"serverTLSBootstrap": True, **gate("RotateKubeletServerCertificate", False)},
         "serverTLSBootstrap true requires feature gate RotateKubeletServerCertificate"),
        ({"runOnce": True}, "runOnce (--runOnce) true, Runonce mode has been deprecated and should not be set"),
        ({"registerWithTaints": [{"key": "a b", "value": "v", "effect": "NoSchedule"}]},
         "invalid taint: {a b v NoSchedule <nil>}"),
        ({"registerWithTaints": [{"key": "a", "effect": "Never"}]}, "invalid taint: {a  Never <nil>}"),
        ({"registerWithTaints": [{"key": "a", "timeAdded": "2026-01-01T00:00:00Z"}]}, "taint.TimeAdded is not nil"),
        ({"topologyManagerPolicy": "x"},
         f'topologyManagerPolicy (--topology-manager-policy) "x" must be one of: {TOPOLOGIES}'),
        ({"topologyManagerScope": "x"},
         'topologyManagerScope (--topology-manager-scope) "x" must be one of: "container", or "pod"'),
        ({"shutdownGracePeriod": "1s", "shutdownGracePeriodCriticalPods": "2s"},
         "shutdownGracePeriodCriticalPods {2s} must be <= shutdownGracePeriod {1s}"),
        ({"shutdownGracePeriod": "1ms"}, "shutdownGracePeriod {1ms} must be either zero or otherwise >= 1 sec"),
        ({"shutdownGracePeriod": "1s", "shutdownGracePeriodCriticalPods": "1ms"},
         "shutdownGracePeriodCriticalPods {1ms} must be either zero or otherwise >= 1 sec"),
        ({"shutdownGracePeriod": "1s", **gate("GracefulNodeShutdown", False)},
         ("specifying shutdownGracePeriod or shutdownGracePeriodCriticalPods requires feature gate "
         "GracefulNodeShutdown")),
        ({"shutdownGracePeriodByPodPriority": [{"priority": 0, "shutdownGracePeriodSeconds": 0}],
          "shutdownGracePeriod": "1s"},
         "Cannot specify both shutdownGracePeriodByPodPriority and shutdownGracePeriod at the same time"),
        ({"shutdownGracePeriodByPodPriority": [{"priority": 0}],
          **gate("GracefulNodeShutdownBasedOnPodPriority", False)},
         "Specifying shutdownGracePeriodByPodPriority requires feature gate GracefulNodeShutdownBasedOnPodPriority"),
        ({"memorySwap": {"swapBehavior": "x"}},
         'memorySwap.swapBehavior "x" must be one of: "", "LimitedSwap" or "NoSwap"'),
        ({"memorySwap": {"swapBehavior": "LimitedSwap"}, **gate("NodeSwap", False)},
         "memorySwap.swapBehavior cannot be set when NodeSwap feature flag is disabled"),
        ({"crashLoopBackOff": {"maxContainerRestartPeriod": "500ms"}},
         "CrashLoopBackOff.MaxContainerRestartPeriod (got: 0.5 seconds) must be set between 1s and 300s"),
        ({"crashLoopBackOff": {"maxContainerRestartPeriod": "10s"}, **gate("KubeletCrashLoopBackOffMax", False)},
         ("FeatureGate KubeletCrashLoopBackOffMax not enabled, CrashLoopBackOff.MaxContainerRestartPeriod must not "
         "be set")),
        ({"hairpinMode": "x"},
         ('option "x" specified for hairpinMode (--hairpin-mode). Valid options are "none", "hairpin-veth" or '
         '"promiscuous-bridge"')),
        ({"imagePullCredentialsVerificationPolicy": "x"},
         ('option "x" specified for imagePullCredentialsVerificationPolicy. Valid options are "NeverVerify", '
         '"NeverVerifyPreloadedImages", "NeverVerifyAllowlistedImages" or "AlwaysVerify"')),
        ({"preloadedImagesVerificationAllowlist": ["a"]},
         ("can't set `preloadedImagesVerificationAllowlist` if `imagePullCredentialsVertificationPolicy` is not "
         '"NeverVerifyAllowlistedImages"')),
        ({"imagePullCredentialsVerificationPolicy": "NeverVerifyAllowlistedImages",
          "preloadedImagesVerificationAllowlist": ["a.example/b", "a.example/*b"]},
         ("invalid image pattern in `preloadedImagesVerificationAllowlist`: not a valid wildcard pattern, only "
         "patterns ending with '/*' are allowed: a.example/*b")),
        ({"imagePullCredentialsVerificationPolicy": "AlwaysVerify", **gate("KubeletEnsureSecretPulledImages", False)},
         ("`imagePullCredentialsVerificationPolicy` must not be set if KubeletEnsureSecretPulledImages feature gate "
         "is not enabled")),
        ({"memoryThrottlingFactor": 1.1},
         "memoryThrottlingFactor 1.1 must be greater than 0 and less than or equal to 1.0"),
        ({"memoryReservationPolicy": "TieredReservation"},
         'memoryReservationPolicy "TieredReservation" requires MemoryQoS feature gate to be enabled'),
        ({"memoryReservationPolicy": "x"},
         'option "x" specified for memoryReservationPolicy. Valid options are "None" or "TieredReservation"'),
        ({"enableSystemLogQuery": True}, "NodeLogQuery feature gate is required for enableSystemLogQuery"),
        ({"enableSystemLogQuery": True, "enableSystemLogHandler": False, **gate("NodeLogQuery", True)},
         "enableSystemLogHandler is required for enableSystemLogQuery"),
        ({"containerLogMaxWorkers": 0}, "containerLogMaxWorkers must be greater than or equal to 1"),
        ({"containerLogMonitorInterval": "2s"},
         "containerLogMonitorInterval must be a positive time duration greater than or equal to 3s"),
        ({"containerLogMaxFiles": 1}, "containerLogMaxFiles must be greater than 1"),
        ({"podLogsDir": "test"}, 'pod logs path "test" must be absolute path'),
        ({"podLogsDir": "/path/../x"}, 'pod logs path "/path/../x" must be normalized'),
        ({"podLogsDir": "/path/"}, 'pod logs path "/path/" must be normalized'),
        ({"podLogsDir": "/ä"}, 'pod logs path "/ä" mut contains ASCII characters only'),
    ],
)  # fmt: skip
def test_what_is_refused(over: dict[str, Any], wrong: str) -> None:
    assert found(over) == [wrong]


@pytest.mark.parametrize(
    "over",
    [
        {"maxParallelImagePulls": 1},
        {"maxParallelImagePulls": 3, "serializeImagePulls": False},
        {"healthzPort": 0, "readOnlyPort": 0},
        {"cpuCFSQuotaPeriod": "1ms", **gate("CustomCPUCFSQuotaPeriod", True)},
        {"crashLoopBackOff": {"maxContainerRestartPeriod": "1s"}},
        {"registerWithTaints": [{"key": "example.com/a", "value": "b", "effect": "NoExecute"}]},
        {"shutdownGracePeriod": "30s", "shutdownGracePeriodCriticalPods": "10s"},
        {"imagePullCredentialsVerificationPolicy": "NeverVerifyAllowlistedImages",
         "preloadedImagesVerificationAllowlist": ["a.example/b"]},
        {"memoryReservationPolicy": "TieredReservation", **gate("MemoryQoS", True)},
        {"podLogsDir": "/var/log/pods", "singleProcessOOMKill": False},
    ],
)  # fmt: skip
def test_what_is_right(over: dict[str, Any]) -> None:
    assert found(over) == []


def test_old_control_groups() -> None:
    old = "kubelet is configured to not run on a host using cgroup v1. cgroup v1 support is in maintenance mode"
    assert found({}, cgroup_v2=False) == [old]
    assert found({"failCgroupV1": False}, cgroup_v2=False) == []
    assert found({"failCgroupV1": False, "singleProcessOOMKill": False}, cgroup_v2=False) == [
        "singleProcessOOMKill must not be explicitly set to false when using cgroup v1"
    ]


def test_all_that_is_wrong_is_told_at_once() -> None:
    wrong = errors(lay(upstream_defaults(), {"maxPods": -1, "port": -5}), cgroup_v2=True)
    assert aggregate(wrong) == (
        "[invalid configuration: maxPods (--max-pods) -1 must not be a negative number, "
        "invalid configuration: port (--port) -5 must be between 1 and 65535, inclusive]"
    )
    assert aggregate(wrong[:1]) == wrong[0]
