"""The fields of KubeletConfiguration at v1.37: what each is on the wire, and what it is where nobody sets it.

A line is a field, the type that upstream reads it into, and upstream's default. What is no pointer (`*`), map or list
is unset when it is zero. Source: staging/src/k8s.io/kubelet/config/v1beta1/types.go; pkg/kubelet/apis/config/v1beta1.
"""

from functools import cache
from types import MappingProxyType
from typing import Any

import orjson

from pilothouse.api.machinery.schema import Schema
from pilothouse.api.machinery.schema.node import ZeroClass
from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.eviction.policy import DEFAULT_HARD

GROUP = "kubelet.config.k8s.io"
API_VERSION = f"{GROUP}/v1beta1"
KIND = "KubeletConfiguration"
DURATION = "duration"

_TABLE = """
enableServer *bool true
staticPodPath string
podLogsDir string "/var/log/pods"
syncFrequency duration "1m0s"
fileCheckFrequency duration "20s"
httpCheckFrequency duration "20s"
staticPodURL string
staticPodURLHeader map[string][]string
address string "0.0.0.0"
port int32 10250
readOnlyPort int32
tlsCertFile string
tlsPrivateKeyFile string
tlsCipherSuites []string
tlsCurvePreferences []int32
tlsMinVersion string
rotateCertificates bool
serverTLSBootstrap bool
authentication.x509.clientCAFile string
authentication.webhook.enabled *bool true
authentication.webhook.cacheTTL duration "2m0s"
authentication.anonymous.enabled *bool false
authorization.mode string "Webhook"
authorization.webhook.cacheAuthorizedTTL duration "5m0s"
authorization.webhook.cacheUnauthorizedTTL duration "30s"
registryPullQPS *int32 5
registryBurst int32 10
imagePullCredentialsVerificationPolicy string "NeverVerifyPreloadedImages"
preloadedImagesVerificationAllowlist []string
eventRecordQPS *int32 50
eventBurst int32 100
enableDebuggingHandlers *bool true
enableContentionProfiling bool
healthzPort *int32 10248
healthzBindAddress string "127.0.0.1"
oomScoreAdj *int32 -999
clusterDomain string
clusterDNS []string
streamingConnectionIdleTimeout duration "4h0m0s"
nodeStatusUpdateFrequency duration "10s"
nodeStatusReportFrequency duration "5m0s"
nodeLeaseDurationSeconds int32 40
imageMinimumGCAge duration "2m0s"
imageMaximumGCAge duration "0s"
imageGCHighThresholdPercent *int32 85
imageGCLowThresholdPercent *int32 80
volumeStatsAggPeriod duration "1m0s"
kubeletCgroups string
systemCgroups string
cgroupRoot string
cgroupsPerQOS *bool true
cgroupDriver string "cgroupfs"
cpuManagerPolicy string "none"
singleProcessOOMKill *bool
cpuManagerPolicyOptions map[string]string
cpuManagerReconcilePeriod duration "10s"
draManagerReconcilePeriod duration "1m0s"
memoryManagerPolicy string "None"
topologyManagerPolicy string "none"
topologyManagerScope string "container"
topologyManagerPolicyOptions map[string]string
qosReserved map[string]string
runtimeRequestTimeout duration "2m0s"
hairpinMode string "promiscuous-bridge"
maxPods int32 110
podCIDR string
podPidsLimit *int64 -1
resolvConf *string "/etc/resolv.conf"
runOnce bool
cpuCFSQuota *bool true
cpuCFSQuotaPeriod *duration "100ms"
nodeStatusMaxImages *int32 50
maxOpenFiles int64 1000000
contentType string "application/vnd.kubernetes.protobuf"
kubeAPIQPS *int32 50
kubeAPIBurst int32 100
serializeImagePulls *bool true
maxParallelImagePulls *int32
evictionHard map[string]string
evictionSoft map[string]string
evictionSoftGracePeriod map[string]string
evictionPressureTransitionPeriod duration "5m0s"
evictionMaxPodGracePeriod int32
evictionMinimumReclaim map[string]string
mergeDefaultEvictionSettings *bool false
podsPerCore int32
enableControllerAttachDetach *bool true
protectKernelDefaults bool
makeIPTablesUtilChains *bool true
iptablesMasqueradeBit *int32 14
iptablesDropBit *int32 15
featureGates map[string]bool
failSwapOn *bool true
memorySwap.swapBehavior string
containerLogMaxSize string "10Mi"
containerLogMaxFiles *int32 5
containerLogMaxWorkers *int32 1
containerLogMonitorInterval *duration "10s"
configMapAndSecretChangeDetectionStrategy string "Watch"
systemReserved map[string]string
kubeReserved map[string]string
reservedSystemCPUs string
showHiddenMetricsForVersion string
systemReservedCgroup string
kubeReservedCgroup string
enforceNodeAllocatable []string ["pods"]
allowedUnsafeSysctls []string
volumePluginDir string "/usr/libexec/kubernetes/kubelet-plugins/volume/exec/"
providerID string
kernelMemcgNotification bool
logging.format string "text"
logging.flushFrequency time_or_duration "5s"
logging.verbosity int64
logging.vmodule[].filePattern string
logging.vmodule[].verbosity int64
logging.options.text.splitStream bool
logging.options.text.infoBufferSize quantity "0"
logging.options.json.splitStream bool
logging.options.json.infoBufferSize quantity "0"
enableSystemLogHandler *bool true
enableSystemLogQuery *bool false
shutdownGracePeriod duration "0s"
shutdownGracePeriodCriticalPods duration "0s"
shutdownGracePeriodByPodPriority[].priority int32
shutdownGracePeriodByPodPriority[].shutdownGracePeriodSeconds int64
crashLoopBackOff.maxContainerRestartPeriod *duration "5m0s"
reservedMemory[].numaNode int32
reservedMemory[].limits map[string]quantity
enableProfilingHandler *bool true
enableDebugFlagsHandler *bool true
seccompDefault *bool false
memoryThrottlingFactor *float64 0.9
memoryReservationPolicy string "None"
registerWithTaints[].key string
registerWithTaints[].value string
registerWithTaints[].effect string
registerWithTaints[].timeAdded *time
registerNode *bool true
tracing.endpoint *string
tracing.samplingRatePerMillion *int32
localStorageCapacityIsolation *bool true
containerRuntimeEndpoint string "unix:///run/containerd/containerd.sock"
imageServiceEndpoint string
failCgroupV1 *bool true
userNamespaces.idsPerPod *int64 65536
"""
_STRUCTS = {
    "": KIND, "authentication": "KubeletAuthentication", "authentication.x509": "KubeletX509Authentication",
    "authentication.webhook": "KubeletWebhookAuthentication", "authorization": "KubeletAuthorization",
    "authentication.anonymous": "KubeletAnonymousAuthentication", "memorySwap": "MemorySwapConfiguration",
    "authorization.webhook": "KubeletWebhookAuthorization", "crashLoopBackOff": "CrashLoopBackOffConfig",
    "logging": "LoggingConfiguration", "logging.vmodule[]": "VModuleItem", "logging.options": "FormatOptions",
    "logging.options.text": "TextOptions", "logging.options.json": "JSONOptions", "tracing": "TracingConfiguration",
    "reservedMemory[]": "MemoryReservation", "registerWithTaints[]": "Taint", "userNamespaces": "UserNamespaces",
    "shutdownGracePeriodByPodPriority[]": "ShutdownGracePeriodByPodPriority",
}  # fmt: skip
"""What Go calls them, as messages about types do."""
_LEAVES: dict[str, Schema] = {
    "string": Schema(type="string"),
    "bool": Schema(type="boolean"),
    "int32": Schema(type="integer", format="int32"),
    "int64": Schema(type="integer", format="int64"),
    "float64": Schema(type="number", format="double"),
    "time": Schema(type="string", format="date-time"),
    "quantity": Schema(name="io.k8s.apimachinery.pkg.api.resource.Quantity", quantity=True),
    "duration": Schema(type="string"),
    "time_or_duration": Schema(preserve_unknown=True),
}
_ZEROS: dict[str, ZeroClass] = {"string": str, "duration": str, "bool": bool, "int32": int, "int64": int}


@cache
def _lines() -> tuple[tuple[str, str, Any], ...]:
    found = []
    for line in _TABLE.strip().splitlines():
        name, kind, *rest = line.split(" ", 2)
        found.append((name, kind, orjson.loads(rest[0]) if rest else None))
    return tuple(found)


@cache
def leaves() -> MappingProxyType[str, str]:
    """Fields by their path, such as `memorySwap.swapBehavior`, with their types; a list of structs is one."""
    return MappingProxyType({name.partition("[]")[0]: kind for name, kind, _ in _lines()})


def top_level() -> list[str]:
    """The fields' names alone."""
    return list(dict.fromkeys(name.partition(".")[0] for name in leaves()))


def durations() -> list[tuple[str, bool]]:
    """The fields that are durations, and whether none is the same as no value."""
    return [(name, kind[0] != "*") for name, kind, _ in _lines() if kind.lstrip("*") == DURATION]


def upstream_defaults() -> JsonObject:
    """All that upstream sets of its own accord, as one document."""
    document: JsonObject = {"evictionHard": dict(DEFAULT_HARD)}
    for name, _, default in _lines():
        if default is not None:
            put(document, name, default)
    return document


def put(document: JsonObject, path: str, value: Any) -> None:
    """Set the field at a path."""
    *parents, last = path.split(".")
    for parent in parents:
        document = document.setdefault(parent, {})
    document[last] = value


def look_up(document: JsonObject, path: str) -> Any:
    """The field at a path, None where there is none."""
    found: Any = document
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


@cache
def schema() -> Schema:
    """What a document may hold."""
    fields: dict[str, Any] = {"kind": "string", "apiVersion": "string"}
    for name, kind, _ in _lines():
        put(fields, name, kind)
    return _struct("", fields)


def _struct(path: str, fields: JsonObject) -> Schema:
    properties, zeros = {}, dict[str, ZeroClass]()
    for name, kind in fields.items():
        below = f"{path}.{name}" if path else name
        plain = name.removesuffix("[]")
        node = _struct(below, kind) if isinstance(kind, dict) else _type(kind)
        properties[plain] = node if plain == name else Schema(type="array", items=node)
        if isinstance(kind, str) and kind in _ZEROS and "[]" not in path:  # what items say stays as it is
            zeros[plain] = _ZEROS[kind]
    return Schema(name=f"{GROUP}.v1beta1.{_STRUCTS[path]}", type="object", properties=properties, zeros=zeros)


def _type(kind: str) -> Schema:
    kind = kind.removeprefix("*")
    if kind.startswith("map[string]"):
        return Schema(type="object", additional=_type(kind.removeprefix("map[string]")))
    if kind.startswith("[]"):
        return Schema(type="array", items=_type(kind.removeprefix("[]")))
    return _LEAVES[kind]
