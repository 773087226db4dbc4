"""What a whole KubeletConfiguration must not say: pure, with upstream's words for it.

Source: pkg/kubelet/apis/config/validation/validation.go. All that is wrong is told at once.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any

from pilothouse.api.machinery.names import label_key, label_value
from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.configuration import gates
from pilothouse.kubelet.configuration.fields import look_up
from pilothouse.kubelet.configuration.image_rules import pattern_error
from pilothouse.kubelet.configuration.logging_rules import logging_errors
from pilothouse.kubelet.configuration.resource_rules import resource_errors
from pilothouse.kubelet.images.policy import Verify
from pilothouse.kubelet.managers.hints import BEST_EFFORT, NONE, RESTRICTED, SINGLE
from pilothouse.runtime.durations import go_duration, parse_duration

_INVALID = "invalid configuration: "
_POLICIES = (NONE, BEST_EFFORT, RESTRICTED, SINGLE)
_HAIRPIN = ("none", "hairpin-veth", "promiscuous-bridge")
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_POLICY, _ALLOWLIST = "imagePullCredentialsVerificationPolicy", "preloadedImagesVerificationAllowlist"
_NOT_NEGATIVE = {
    "eventBurst": "event-burst", "eventRecordQPS": "event-qps", "kubeAPIBurst": "kube-api-burst",
    "kubeAPIQPS": "kube-api-qps", "maxOpenFiles": "max-open-files", "maxPods": "max-pods",
    "podsPerCore": "pods-per-core", "registryBurst": "registry-burst", "registryPullQPS": "registry-qps",
}  # fmt: skip
_RANGES = {
    "imageGCHighThresholdPercent": ("image-gc-high-threshold", 0, 100),
    "imageGCLowThresholdPercent": ("image-gc-low-threshold", 0, 100),
    "iptablesDropBit": ("iptables-drop-bit", 0, 31),
    "iptablesMasqueradeBit": ("iptables-masquerade-bit", 0, 31),
    "oomScoreAdj": ("oom-score-adj", -1000, 1000),
    "port": ("port", 1, 65535),
}


def errors(document: JsonObject, *, cgroup_v2: bool) -> list[str]:
    """All that is wrong."""
    rules: tuple[Callable[[JsonObject], Iterable[str]], ...] = (
        _numbers, _images, _pulls, _taints, _topology, _shutdown, _swap_and_crashes, resource_errors, _verification,
    )  # fmt: skip
    found = [text for rule in rules for text in rule(document)]
    found += _machine(document, cgroup_v2=cgroup_v2)
    found += [text for rule in (logging_errors, _memory_qos, _runtime_and_logs, _pod_logs) for text in rule(document)]
    return list(dict.fromkeys(found))


def aggregate(found: list[str]) -> str:
    """All in one text, as Go's aggregated errors print."""
    return found[0] if len(found) == 1 else f"[{', '.join(found)}]"


def _numbers(document: JsonObject) -> Iterator[str]:
    if document["nodeLeaseDurationSeconds"] <= 0:
        yield f"{_INVALID}nodeLeaseDurationSeconds must be greater than 0"
    if document.get("systemCgroups") and not document.get("cgroupRoot"):
        yield (
            f"{_INVALID}systemCgroups (--system-cgroups) was specified and cgroupRoot (--cgroup-root) was not specified"
        )
    for name, flag in _NOT_NEGATIVE.items():
        if (number := document.get(name, 0)) < 0:
            yield f"{_INVALID}{name} (--{flag}) {number} must not be a negative number"
    for name, (flag, low, high) in _RANGES.items():
        if not low <= (number := document[name]) <= high:
            yield f"{_INVALID}{name} (--{flag}) {number} must be between {low} and {high}, inclusive"
    for name, flag, low in (("healthzPort", "healthz-port", 1), ("readOnlyPort", "read-only-port", 0)):
        if (port := document.get(name, 0)) and not 1 <= port <= 65535:
            yield f"{_INVALID}{name} (--{flag}) {port} must be between {low} and 65535, inclusive"
    if (images := document["nodeStatusMaxImages"]) < -1:
        yield f"{_INVALID}nodeStatusMaxImages (--node-status-max-images) {images} must be -1 or greater"
    yield from _quota_period(document)
    if document.get("runOnce"):
        yield f"{_INVALID}runOnce (--runOnce) true, Runonce mode has been deprecated and should not be set"
    if document.get("serverTLSBootstrap") and not gates.enabled(document, gates.SERVING):
        yield f"{_INVALID}serverTLSBootstrap true requires feature gate RotateKubeletServerCertificate"


def _quota_period(document: JsonObject) -> Iterator[str]:
    period = _seconds(document, "cpuCFSQuotaPeriod")
    named = f"cpuCFSQuotaPeriod (--cpu-cfs-quota-period) {_shown(period)}"
    if not gates.enabled(document, gates.QUOTA_PERIOD):
        if period != 0.1:
            yield f"{_INVALID}{named} requires feature gate CustomCPUCFSQuotaPeriod"
    elif not 0.001 <= period <= 1:
        yield f"{_INVALID}{named} must be between 1ms and 1sec, inclusive"


def _images(document: JsonObject) -> Iterator[str]:
    low, high = document["imageGCLowThresholdPercent"], document["imageGCHighThresholdPercent"]
    if low >= high:
        yield (
            f"{_INVALID}imageGCLowThresholdPercent (--image-gc-low-threshold) {low} must be less than "
            f"imageGCHighThresholdPercent (--image-gc-high-threshold) {high}"
        )
    least, most = _seconds(document, "imageMinimumGCAge"), _seconds(document, "imageMaximumGCAge")
    if most and not gates.enabled(document, gates.MAXIMUM_AGE):
        yield (
            f"{_INVALID}ImageMaximumGCAge feature gate is required for Kubelet configuration option imageMaximumGCAge"
        )
    for name, age in (("imageMinimumGCAge", least), ("imageMaximumGCAge", most)):
        if age < 0:
            yield f"{_INVALID}{name} {go_duration(age)} must not be negative"
    if 0 < most <= least:
        yield (
            f"{_INVALID}imageMaximumGCAge {go_duration(most)} must be greater than imageMinimumGCAge "
            f"{go_duration(least)}"
        )
    if (period := _seconds(document, "draManagerReconcilePeriod")) <= 0:
        yield f"{_INVALID}draManagerReconcilePeriod {go_duration(period)} must be greater than zero"


def _pulls(document: JsonObject) -> Iterator[str]:
    most = document.get("maxParallelImagePulls")
    if most is not None and most < 1:
        yield f"{_INVALID}maxParallelImagePulls {most} must be a positive number"
    if document["serializeImagePulls"] and most is not None and most > 1:
        yield (
            f"{_INVALID}maxParallelImagePulls cannot be larger than 1 unless SerializeImagePulls "
            "(--serialize-image-pulls) is set to false"
        )


def _taints(document: JsonObject) -> Iterator[str]:
    for taint in document.get("registerWithTaints") or ():
        if _is_wrong(taint):
            parts = " ".join(str(taint.get(name) or "") for name in ("key", "value", "effect"))
            yield f"invalid taint: {{{parts} {taint.get('timeAdded') or '<nil>'}}}"
        if taint.get("timeAdded") is not None:
            yield f"{_INVALID}taint.TimeAdded is not nil"


def _is_wrong(taint: JsonObject) -> bool:
    key, value, effect = (taint.get(name) or "" for name in ("key", "value", "effect"))
    return bool(label_key(key) or label_value(value) or effect not in ("", *_EFFECTS))


def _topology(document: JsonObject) -> Iterator[str]:
    policy, scope = document["topologyManagerPolicy"], document["topologyManagerScope"]
    if policy not in _POLICIES:
        allowed = " ".join(f'"{name}"' for name in _POLICIES)
        yield (
            f'{_INVALID}topologyManagerPolicy (--topology-manager-policy) "{policy}" must be one of: [{allowed}]'
        )  # fmt: skip
    if scope not in ("container", "pod"):
        yield (
            f'{_INVALID}topologyManagerScope (--topology-manager-scope) "{scope}" must be one of: "container", or "pod"'
        )


def _shutdown(document: JsonObject) -> Iterator[str]:
    whole, critical = _seconds(document, "shutdownGracePeriod"), _seconds(document, "shutdownGracePeriodCriticalPods")
    if gates.enabled(document, gates.SHUTDOWN):
        if critical > whole:
            yield (
                f"{_INVALID}shutdownGracePeriodCriticalPods {_shown(critical)} must be <= shutdownGracePeriod "
                f"{_shown(whole)}"
            )
        for name, seconds in (("shutdownGracePeriod", whole), ("shutdownGracePeriodCriticalPods", critical)):
            if seconds < 0 or 0 < seconds < 1:
                yield f"{_INVALID}{name} {_shown(seconds)} must be either zero or otherwise >= 1 sec"
    elif whole > 0 or critical > 0:
        yield (
            f"{_INVALID}specifying shutdownGracePeriod or shutdownGracePeriodCriticalPods requires feature gate "
            "GracefulNodeShutdown"
        )
    if not document.get("shutdownGracePeriodByPodPriority"):
        return
    if not gates.enabled(document, gates.SHUTDOWN_BY_PRIORITY):
        yield (
            f"{_INVALID}Specifying shutdownGracePeriodByPodPriority requires feature gate "
            "GracefulNodeShutdownBasedOnPodPriority"
        )
    elif whole > 0 or critical > 0:
        yield (
            f"{_INVALID}Cannot specify both shutdownGracePeriodByPodPriority and shutdownGracePeriod at the same time"
        )


def _swap_and_crashes(document: JsonObject) -> Iterator[str]:
    behavior = look_up(document, "memorySwap.swapBehavior") or ""
    if not gates.enabled(document, gates.SWAP):
        if behavior:
            yield f"{_INVALID}memorySwap.swapBehavior cannot be set when NodeSwap feature flag is disabled"
    elif behavior not in ("", "NoSwap", "LimitedSwap"):
        yield f'{_INVALID}memorySwap.swapBehavior "{behavior}" must be one of: "", "LimitedSwap" or "NoSwap"'
    longest = look_up(document, "crashLoopBackOff.maxContainerRestartPeriod")
    if not gates.enabled(document, gates.CRASH_LOOP):
        if longest != "5m0s":  # what stands there where nobody has set it
            yield (
                f"{_INVALID}FeatureGate KubeletCrashLoopBackOffMax not enabled, "
                "CrashLoopBackOff.MaxContainerRestartPeriod must not be set"
            )
    elif not 1 <= (seconds := parse_duration(longest)) <= 300:
        yield (
            f"{_INVALID}CrashLoopBackOff.MaxContainerRestartPeriod (got: {seconds:g} seconds) must be set between "
            "1s and 300s"
        )


def _verification(document: JsonObject) -> Iterator[str]:
    if (mode := document["hairpinMode"]) not in _HAIRPIN:
        yield (
            f'{_INVALID}option "{mode}" specified for hairpinMode (--hairpin-mode). Valid options are "none", '
            '"hairpin-veth" or "promiscuous-bridge"'
        )
    policy, listed = document[_POLICY], document.get(_ALLOWLIST)
    if not gates.enabled(document, gates.PULLED_WITH_SECRETS):
        for name, is_set in ((_POLICY, policy != Verify.NOT_PRELOADED.value), (_ALLOWLIST, listed)):
            if is_set:
                yield (
                    f"{_INVALID}`{name}` must not be set if KubeletEnsureSecretPulledImages feature gate is not enabled"
                )
        return
    names = [one.value for one in Verify]
    if policy not in names:
        allowed = ", ".join(f'"{name}"' for name in names[:-1])
        yield (
            f'{_INVALID}option "{policy}" specified for imagePullCredentialsVerificationPolicy. Valid options are '
            f'{allowed} or "{names[-1]}"'
        )
    if listed and policy != Verify.NOT_ALLOWLISTED.value:
        yield (
            f"{_INVALID}can't set `{_ALLOWLIST}` if `imagePullCredentialsVertificationPolicy` is not "
            '"NeverVerifyAllowlistedImages"'
        )
    elif why := next(filter(None, map(pattern_error, listed or ())), ""):
        yield f"{_INVALID}invalid image pattern in `{_ALLOWLIST}`: {why}"


def _machine(document: JsonObject, *, cgroup_v2: bool) -> Iterator[str]:
    if cgroup_v2:
        return
    if document["failCgroupV1"]:
        yield (
            "kubelet is configured to not run on a host using cgroup v1. cgroup v1 support is in maintenance mode"
        )  # fmt: skip
    elif document.get("singleProcessOOMKill") is False:
        yield f"{_INVALID}singleProcessOOMKill must not be explicitly set to false when using cgroup v1"


def _memory_qos(document: JsonObject) -> Iterator[str]:
    factor, policy = document["memoryThrottlingFactor"], document["memoryReservationPolicy"]
    if not 0 < factor <= 1:
        yield f"{_INVALID}memoryThrottlingFactor {factor:g} must be greater than 0 and less than or equal to 1.0"
    if policy == "TieredReservation" and not gates.enabled(document, gates.MEMORY_QOS):
        yield f'{_INVALID}memoryReservationPolicy "{policy}" requires MemoryQoS feature gate to be enabled'
    if policy not in ("None", "TieredReservation"):
        yield (
            f'{_INVALID}option "{policy}" specified for memoryReservationPolicy. Valid options are "None" or '
            '"TieredReservation"'
        )


def _runtime_and_logs(document: JsonObject) -> Iterator[str]:
    if document["enableSystemLogQuery"] and not gates.enabled(document, gates.LOG_QUERY):
        yield f"{_INVALID}NodeLogQuery feature gate is required for enableSystemLogQuery"
    if document["enableSystemLogQuery"] and not document["enableSystemLogHandler"]:
        yield f"{_INVALID}enableSystemLogHandler is required for enableSystemLogQuery"
    if document["containerLogMaxWorkers"] < 1:
        yield f"{_INVALID}containerLogMaxWorkers must be greater than or equal to 1"
    if _seconds(document, "containerLogMonitorInterval") < 3:
        yield f"{_INVALID}containerLogMonitorInterval must be a positive time duration greater than or equal to 3s"
    if document["containerLogMaxFiles"] <= 1:
        yield f"{_INVALID}containerLogMaxFiles must be greater than 1"


def _pod_logs(document: JsonObject) -> Iterator[str]:
    path = document["podLogsDir"]
    if not PurePosixPath(path).is_absolute():
        yield f'{_INVALID}pod logs path "{path}" must be absolute path'
    if not _is_clean(path):
        yield f'{_INVALID}pod logs path "{path}" must be normalized'
    if not path.isascii():
        yield f'{_INVALID}pod logs path "{path}" mut contains ASCII characters only'


def _is_clean(path: str) -> bool:
    return str(PurePosixPath(path)) == path and ".." not in path.split("/") and not path.startswith("//")


def _seconds(document: JsonObject, name: str) -> float:
    found: Any = document.get(name)
    return parse_duration(found) if found else 0.0


def _shown(seconds: float) -> str:
    """A metav1.Duration as Go prints the struct that it is."""
    return f"{{{go_duration(seconds)}}}"
