"""Feature gates that decide whether a field may be set, as v1.37 has them. Others are taken note of and do nothing."""

from pilothouse.api.machinery.view import JsonObject

QUOTA_PERIOD = "CustomCPUCFSQuotaPeriod"
CRASH_LOOP = "KubeletCrashLoopBackOffMax"
MAXIMUM_AGE = "ImageMaximumGCAge"
SERVING = "RotateKubeletServerCertificate"
SHUTDOWN = "GracefulNodeShutdown"
SHUTDOWN_BY_PRIORITY = "GracefulNodeShutdownBasedOnPodPriority"
SWAP = "NodeSwap"
PULLED_WITH_SECRETS = "KubeletEnsureSecretPulledImages"
MEMORY_QOS = "MemoryQoS"
LOG_QUERY = "NodeLogQuery"
_OFF = (QUOTA_PERIOD, MEMORY_QOS, LOG_QUERY)


def enabled(document: JsonObject, gate: str) -> bool:
    """Whether it is on: by default all of these are but for the alpha ones, and the query of logs."""
    return bool((document.get("featureGates") or {}).get(gate, gate not in _OFF))
