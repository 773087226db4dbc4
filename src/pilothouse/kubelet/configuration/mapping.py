"""Which field of KubeletConfiguration is which of ours: one table, read both ways.

A field with an effect stands in `FIELDS`, any other in `NO_EFFECT`: who sets that is told so.
"""

from collections.abc import Mapping
from dataclasses import replace
from operator import attrgetter
from types import MappingProxyType
from typing import Any

from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.config import KubeletConfig
from pilothouse.kubelet.configuration.codecs import (
    LIST,
    LISTS_BY_NAME,
    MAP,
    OPTIONAL_PATH,
    PATH,
    PERIODS,
    PLAIN,
    PROCESSES,
    RESERVED_MEMORY,
    RESOLVER,
    SECONDS,
    SECONDS_BY_NAME,
    SIZE,
    VERIFY,
    Codec,
)
from pilothouse.kubelet.configuration.fields import (
    API_VERSION,
    DURATION,
    KIND,
    leaves,
    look_up,
    put,
    upstream_defaults,
)
from pilothouse.kubelet.eviction.policy import DEFAULT_HARD
from pilothouse.kubelet.volume_meter import PERIOD
from pilothouse.runtime.durations import go_duration, parse_duration
from pilothouse.runtime.log import Log

log = Log(__name__)

FIELDS: Mapping[str, tuple[str, Codec]] = MappingProxyType({
    "address": ("host", PLAIN),
    "port": ("port", PLAIN),
    "allowedUnsafeSysctls": ("security.allowed_unsafe_sysctls", LIST),
    "cgroupRoot": ("cgroup_root", PLAIN),
    "clusterDNS": ("cluster_dns", LIST),
    "clusterDomain": ("cluster_domain", PLAIN),
    "containerLogMaxFiles": ("log_rotation.max_files", PLAIN),
    "containerLogMaxSize": ("log_rotation.max_size", SIZE),
    "containerLogMaxWorkers": ("log_rotation.max_workers", PLAIN),
    "containerLogMonitorInterval": ("log_rotation.monitor_interval", SECONDS),
    "containerRuntimeEndpoint": ("runtime.endpoint", PLAIN),
    "imageServiceEndpoint": ("runtime.image_endpoint", PLAIN),
    "runtimeRequestTimeout": ("runtime.request_timeout", SECONDS),
    "cpuManagerPolicy": ("exclusive.cpu_policy", PLAIN),
    "cpuManagerPolicyOptions": ("exclusive.cpu_options", MAP),
    "cpuManagerReconcilePeriod": ("exclusive.reconcile_period", SECONDS),
    "memoryManagerPolicy": ("memory.policy", PLAIN),
    "reservedMemory": ("memory.reserved", RESERVED_MEMORY),
    "topologyManagerPolicy": ("exclusive.topology_policy", PLAIN),
    "topologyManagerScope": ("exclusive.topology_scope", PLAIN),
    "topologyManagerPolicyOptions": ("exclusive.topology_options", MAP),
    "reservedSystemCPUs": ("exclusive.reserved_cpus", PLAIN),
    "enforceNodeAllocatable": ("reservations.enforce", LIST),
    "kubeReserved": ("reservations.kube", MAP),
    "kubeReservedCgroup": ("reservations.kube_cgroup", PLAIN),
    "systemReserved": ("reservations.system", MAP),
    "systemReservedCgroup": ("reservations.system_cgroup", PLAIN),
    "evictionHard": ("eviction.hard", MAP),
    "evictionSoft": ("eviction.soft", MAP),
    "evictionSoftGracePeriod": ("eviction.soft_grace", SECONDS_BY_NAME),
    "evictionMinimumReclaim": ("eviction.minimum_reclaim", MAP),
    "evictionMaxPodGracePeriod": ("eviction.max_pod_grace", PLAIN),
    "evictionPressureTransitionPeriod": ("eviction.transition", SECONDS),
    "mergeDefaultEvictionSettings": ("eviction.merge_defaults", PLAIN),
    "kernelMemcgNotification": ("eviction.kernel_notification", PLAIN),
    "localStorageCapacityIsolation": ("eviction.local_storage", PLAIN),
    "imageGCHighThresholdPercent": ("image_policy.high_threshold", PLAIN),
    "imageGCLowThresholdPercent": ("image_policy.low_threshold", PLAIN),
    "imageMinimumGCAge": ("image_policy.minimum_age", SECONDS),
    "imageMaximumGCAge": ("image_policy.maximum_age", SECONDS),
    "imagePullCredentialsVerificationPolicy": ("image_policy.verify", VERIFY),
    "preloadedImagesVerificationAllowlist": ("image_policy.allowlist", LIST),
    "registryPullQPS": ("image_policy.pull_rate", PLAIN),
    "registryBurst": ("image_policy.pull_burst", PLAIN),
    "serializeImagePulls": ("image_policy.serialize_pulls", PLAIN),
    "maxParallelImagePulls": ("image_policy.max_parallel_pulls", PLAIN),
    "memorySwap.swapBehavior": ("swap.behavior", PLAIN),
    "nodeLeaseDurationSeconds": ("reporting.lease_seconds", PLAIN),
    "nodeStatusMaxImages": ("reporting.max_images", PLAIN),
    "nodeStatusReportFrequency": ("reporting.report_period", SECONDS),
    "nodeStatusUpdateFrequency": ("reporting.update_period", SECONDS),
    "providerID": ("reporting.provider_id", PLAIN),
    "maxPods": ("max_pods", PLAIN),
    "podPidsLimit": ("pod_pids_limit", PROCESSES),
    "podLogsDir": ("logs", PATH),
    "registerWithTaints": ("register_with_taints", LIST),
    "resolvConf": ("resolver", RESOLVER),
    "rotateCertificates": ("certificates.rotate_certificates", PLAIN),
    "serverTLSBootstrap": ("certificates.server_tls_bootstrap", PLAIN),
    "seccompDefault": ("security.seccomp_default", PLAIN),
    "shutdownGracePeriod": ("shutdown.grace_period", SECONDS),
    "shutdownGracePeriodCriticalPods": ("shutdown.critical_pods", SECONDS),
    "shutdownGracePeriodByPodPriority": ("shutdown.by_priority", PERIODS),
    "userNamespaces.idsPerPod": ("security.ids_per_pod", PLAIN),
    "staticPodPath": ("static_pods.path", OPTIONAL_PATH),
    "staticPodURL": ("static_pods.url", PLAIN),
    "staticPodURLHeader": ("static_pods.url_header", LISTS_BY_NAME),
    "fileCheckFrequency": ("static_pods.file_check_frequency", SECONDS),
    "httpCheckFrequency": ("static_pods.http_check_frequency", SECONDS),
})  # fmt: skip
GATES: Mapping[str, str] = MappingProxyType(
    {
        "CPUManagerPolicyAlphaOptions": "exclusive.alpha_options",
        "CPUManagerPolicyBetaOptions": "exclusive.beta_options",
        "DisableCPUQuotaWithExclusiveCPUs": "exclusive.unthrottled",
    }
)
"""Gates that are settings of ours; others that have an effect decide what may be set (`gates`)."""
_UNTOLD = ("staticPodURLHeader",)
"""What nobody is told: there are tokens in it."""

NO_EFFECT = frozenset({
    "authentication.anonymous.enabled", "authentication.webhook.cacheTTL", "authentication.webhook.enabled",
    "authentication.x509.clientCAFile", "authorization.mode", "authorization.webhook.cacheAuthorizedTTL",
    "authorization.webhook.cacheUnauthorizedTTL", "cgroupDriver", "cgroupsPerQOS",
    "configMapAndSecretChangeDetectionStrategy", "contentType", "cpuCFSQuota", "cpuCFSQuotaPeriod",
    "crashLoopBackOff.maxContainerRestartPeriod", "draManagerReconcilePeriod", "enableContentionProfiling",
    "enableControllerAttachDetach", "enableDebugFlagsHandler", "enableDebuggingHandlers", "enableProfilingHandler",
    "enableServer", "enableSystemLogHandler", "enableSystemLogQuery", "eventBurst", "eventRecordQPS", "failSwapOn",
    "featureGates", "hairpinMode", "healthzBindAddress", "healthzPort", "iptablesDropBit", "iptablesMasqueradeBit",
    "kubeAPIBurst", "kubeAPIQPS", "kubeletCgroups", "logging.flushFrequency", "logging.format",
    "logging.options.json.infoBufferSize", "logging.options.json.splitStream", "logging.options.text.infoBufferSize",
    "logging.options.text.splitStream", "logging.verbosity", "logging.vmodule", "makeIPTablesUtilChains",
    "maxOpenFiles", "memoryReservationPolicy", "memoryThrottlingFactor",
    "oomScoreAdj", "podCIDR", "podsPerCore", "protectKernelDefaults", "qosReserved", "readOnlyPort",
    "registerNode", "runOnce", "showHiddenMetricsForVersion",
    "singleProcessOOMKill", "streamingConnectionIdleTimeout", "syncFrequency", "systemCgroups", "tlsCertFile",
    "tlsCipherSuites", "tlsCurvePreferences", "tlsMinVersion", "tlsPrivateKeyFile",
    "tracing.endpoint", "tracing.samplingRatePerMillion", "volumePluginDir", "volumeStatsAggPeriod",
})  # fmt: skip
"""What is the same whatever is set. `failCgroupV1` stands in neither: it decides whether a kubelet starts."""
CHECKED = frozenset({"failCgroupV1"})


def configured(config: KubeletConfig, document: JsonObject) -> KubeletConfig:
    """The configuration with all that a merged document sets. Raises ValueError."""
    blocks: dict[str, dict[str, Any]] = {}
    for name, (place, codec) in FIELDS.items():
        if (value := look_up(document, name)) is not None:
            block, _, last = place.rpartition(".")
            blocks.setdefault(block, {})[last] = codec.read(value)
    for gate, on in (document.get("featureGates") or {}).items():
        if gate in GATES:
            block, _, last = GATES[gate].rpartition(".")
            blocks.setdefault(block, {})[last] = on
    changed = {block: replace(getattr(config, block), **fields) for block, fields in blocks.items() if block}
    return replace(config, **blocks.get("", {}), **changed, no_effect=set_in_vain(document))


def set_in_vain(document: JsonObject) -> JsonObject:
    """What a merged document sets, other than upstream's default, that has no effect."""
    defaults, kinds = upstream_defaults(), leaves()
    found = {name: (look_up(document, name), look_up(defaults, name)) for name in sorted(NO_EFFECT)}
    others = {gate: on for gate, on in (document.get("featureGates") or {}).items() if gate not in GATES}
    found["featureGates"] = (others, None)
    return {name: value for name, (value, default) in found.items() if _differs(kinds[name], value, default)}


def _differs(kind: str, value: Any, default: Any) -> bool:
    if value is None or (default is None and value in ({}, [])):
        return False
    if kind.lstrip("*") == DURATION and default is not None:
        return parse_duration(value) != parse_duration(default)
    return bool(value != default)


def wire(config: KubeletConfig) -> JsonObject:
    """The configuration as a KubeletConfiguration, with what was set in vain where nothing else holds."""
    told: JsonObject = {"kind": KIND, "apiVersion": API_VERSION}
    for name, value in config.no_effect.items():
        put(told, name, value)
    for name, (place, codec) in FIELDS.items():
        value = attrgetter(place)(config)
        if value is not None and name not in _UNTOLD:
            put(told, name, codec.write(value))
    gates = {gate: attrgetter(place)(config) for gate, place in GATES.items()}
    told["featureGates"] = {**told.get("featureGates", {}), **gates}
    hard = {**DEFAULT_HARD, **config.eviction.hard} if config.eviction.merge_defaults else dict(config.eviction.hard)
    return {
        **told, "cgroupDriver": "cgroupfs", "cgroupsPerQOS": True, "evictionHard": hard,
        "serializeImagePulls": config.image_policy.at_once == 1, "volumeStatsAggPeriod": go_duration(PERIOD),
    }  # fmt: skip


def tell_of_vain(config: KubeletConfig) -> None:
    """Say in the log what somebody has set that does nothing."""
    for name, value in config.no_effect.items():
        log.warning("A field of the kubelet's configuration has no effect", field=name, value=value)
