"""How full the volumes of claims are, as metrics. Pure. Names and labels are a contract.

Source: pkg/kubelet/metrics/collectors/volume_stats.go.
"""

from collections.abc import Callable, Iterable, Mapping

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.claimed_usage import claim_name
from pilothouse.kubelet.disk_usage import FilesystemUse
from pilothouse.kubelet.server.exposition import Family, labels

_FIGURES: tuple[tuple[str, str, Callable[[FilesystemUse], int]], ...] = (
    ("capacity_bytes", "Capacity in bytes of the volume", lambda use: use.capacity),
    ("available_bytes", "Number of available bytes in the volume", lambda use: use.available),
    ("used_bytes", "Number of used bytes in the volume", lambda use: use.used),
    ("inodes", "Maximum number of inodes in the volume", lambda use: use.inodes),
    ("inodes_free", "Number of free inodes in the volume", lambda use: use.inodes_free),
    ("inodes_used", "Number of used inodes in the volume", lambda use: use.inodes_used),
)


def volume_families(pods: Iterable[Pod], of: Callable[[str], Mapping[str, FilesystemUse]]) -> list[Family]:
    """The metrics of the claims that pods use, each once; `of` gives what a pod's volumes have."""
    families = [Family(f"kubelet_volume_stats_{name}", "gauge", f"[ALPHA] {text}") for name, text, _ in _FIGURES]
    seen = set()
    for pod in pods:
        figures = of(pod.metadata.uid)
        for volume in pod.spec.volumes:
            use, claim = figures.get(volume.name), (pod.metadata.namespace, claim_name(pod, volume))
            if use is None or not claim[1] or claim in seen:
                continue
            seen.add(claim)
            about = labels({"namespace": claim[0], "persistentvolumeclaim": claim[1]})
            for family, (_, _, figure) in zip(families, _FIGURES, strict=True):
                family.add(figure(use), about)
    return families
