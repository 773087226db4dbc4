"""What a CSI driver wants of the node, as its CSIDriver object says. API page: storage/v1 CSIDriver. Pure."""

from dataclasses import dataclass

from pilothouse.api.types.core_v1 import Pod
from pilothouse.api.types.storage_v1 import CSIDriver
from pilothouse.kubelet.volume import Ownership

_WITH_TYPE = "ReadWriteOnceWithFSType"


@dataclass(frozen=True, slots=True)
class Wishes:
    """Of one driver; the defaults are those of a driver without an object."""

    has_object: bool = False
    attach: bool = True
    """Whether somebody attaches volumes before they are mounted."""
    pod_info: bool = False
    group_policy: str = _WITH_TYPE
    republish: bool = False
    """Whether it is to be asked again and again."""
    tokens: tuple[tuple[str, int], ...] = ()
    """Audiences and seconds of tokens that it wants of each pod's service account."""
    tokens_in_secrets: bool = False
    modes: tuple[str, ...] = ("Persistent",)

    @classmethod
    def of(cls, driver: CSIDriver | None) -> "Wishes":
        """As the object says."""
        if driver is None:
            return cls()
        spec = driver.spec
        return cls(
            has_object=True,
            attach=spec.attachRequired is not False,
            pod_info=bool(spec.podInfoOnMount),
            group_policy=spec.fsGroupPolicy or _WITH_TYPE,
            republish=bool(spec.requiresRepublish),
            tokens=tuple((one.audience, one.expirationSeconds or 3600) for one in spec.tokenRequests),
            tokens_in_secrets=bool(spec.serviceAccountTokenInSecrets),
            modes=tuple(spec.volumeLifecycleModes) or ("Persistent",),
        )

    def mode_complaint(self, mode: str, name: str) -> str:
        """Why the driver does not do volumes of a mode; empty when it does."""
        if mode in self.modes:
            return ""
        if not self.has_object:
            return f'volume mode "{mode}" not supported by driver {name} (no CSIDriver object)'
        listed = " ".join(f'"{one}"' for one in self.modes)
        return f'volume mode "{mode}" not supported by driver {name} (only supports [{listed}])'

    def ownership(self, pod: Pod, kind: str, *, once: bool, read_only: bool) -> Ownership:
        """Whether the node gives a volume to the pod's group. `once`: one node alone writes it."""
        if self.group_policy == "None" or read_only:
            return Ownership.NONE
        if self.group_policy == "File" or (kind and once):
            return Ownership.of(pod)
        return Ownership.NONE
