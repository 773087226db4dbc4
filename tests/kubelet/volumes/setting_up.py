"""A volume set up below a directory of the test's own, with a fake kernel and a fake API server."""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kubelet.certifying import FakeRequests
from kubelet.harness import FakeMounter, FakeObjects, Told
from kubelet.trusting import FakeTrustBundles
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.environment import Facts
from pilothouse.kubelet.layout import Layout
from pilothouse.kubelet.pod_certificates import PodCertificates
from pilothouse.kubelet.pod_volumes import Volumes
from pilothouse.kubelet.trust_anchors import TrustAnchors
from pilothouse.kubelet.volume import VolumeType
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.units import subclasses
from pilothouse.testing import loop

FACTS = Facts(("10.88.0.2",), ("10.0.0.1",), {"memory": "1Gi"})
GROUP = os.getgid()


class Place:
    """One node's volumes; `made` are the paths of the last pod's."""

    def __init__(self, root: Path) -> None:
        self.layout = Layout(root / "kubelet", root / "logs")
        self.objects = FakeObjects()
        self.bundles = FakeTrustBundles()
        self.requests = FakeRequests()
        self.mounter = FakeMounter()
        self.sizes: dict[Path, int] = {}
        tmpfs = self.mounter.tmpfs

        def noting(path: Path, size: int = 0, mode: int = 0o755) -> None:
            self.sizes[path] = size
            tmpfs(path, size, mode)

        self.mounter.tmpfs = noting  # type: ignore[method-assign]

    def set_up(self, *pods: Pod, between: Callable[[], Any] = lambda: None) -> dict[str, Path]:
        """Set up the volumes of one pod after the other; the paths of the last one's."""
        made: dict[str, Path] = {}

        async def main(clock: Clock, _chance: object) -> None:
            self.objects.clock = clock
            kinds = subclasses(VolumeType, "pilothouse.kubelet.volumes")  # type: ignore[type-abstract]
            trust = TrustAnchors(self.bundles, Chance(1))
            certificates = PodCertificates(self.requests, Told(), clock, Chance(1))
            volumes = Volumes(
                kinds, self.layout, self.objects, self.mounter, clock, trust=trust, certificates=certificates
            )
            for one in pods:
                made.update({name: host.path for name, host in (await volumes.set_up(one, FACTS)).items()})
                between()

        loop.run(main)
        return made


def mode(path: Path) -> int:
    """The permissions of what lies there."""
    return stat.S_IMODE(path.stat().st_mode)


def texts(directory: Path) -> dict[str, str]:
    """The files of a volume by their ordinary names, at the top alone."""
    return {path.name: path.read_text() for path in directory.iterdir() if path.name[:2] != ".." and path.is_file()}
