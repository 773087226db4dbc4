"""Where things of pods lie on the node. Names below a pod's directory are upstream's, as tools look for them there."""

from dataclasses import dataclass
from pathlib import Path

from pilothouse.api.types.core_v1 import Pod


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths below the kubelet's root and the root of the logs."""

    root: Path
    logs: Path
    links: Path | None = None

    @property
    def pods(self) -> Path:
        """One directory a pod, by uid."""
        return self.root / "pods"

    def pod(self, uid: str) -> Path:
        """What belongs to one pod."""
        return self.pods / uid

    def volume(self, uid: str, plugin: str, name: str) -> Path:
        """One volume, such as plugin `configmap`."""
        return self.pod(uid) / "volumes" / f"kubernetes.io~{plugin}" / name

    def volume_record(self, uid: str, plugin: str, name: str) -> Path:
        """Where a volume is written down, beside it."""
        return self.pod(uid) / "plugins" / f"kubernetes.io~{plugin}" / name

    def container(self, uid: str, name: str) -> Path:
        """What belongs to one container: its termination messages."""
        return self.pod(uid) / "containers" / name

    def hosts_file(self, uid: str) -> Path:
        """The pod's /etc/hosts."""
        return self.pod(uid) / "etc-hosts"

    @property
    def log_links(self) -> Path:
        """Directory of links to the logs: beside them unless told otherwise, as `/var/log/containers` is."""
        return self.links or self.logs.parent / "containers"

    def pod_logs(self, namespace: str, name: str, uid: str) -> Path:
        """Directory of the logs of a pod's containers."""
        return self.logs / f"{namespace}_{name}_{uid}"

    def log(self, pod: Pod, container: str, attempt: int) -> Path:
        """The log of one run of a container."""
        meta = pod.metadata
        return self.pod_logs(meta.namespace, meta.name, meta.uid) / container / f"{attempt}.log"
