"""How large the logs of containers are, as metrics. Pure. Source: pkg/kubelet/metrics/collectors/log_metrics.go."""

from collections.abc import Iterable

from pilothouse.kubelet.server.exposition import Family, labels
from pilothouse.kubelet.stats import PodUse


def log_family(uses: Iterable[PodUse]) -> Family:
    """Of the containers that run."""
    family = Family(
        "kubelet_container_log_filesystem_used_bytes", "gauge",
        "[ALPHA] Bytes used by the container's logs on the filesystem.",
    )  # fmt: skip
    for use in uses:
        for container, log in use.logs.items():
            about = {"uid": use.uid, "namespace": use.namespace, "pod": use.name, "container": container}
            family.add(log.used, labels(about))
    return family
