"""The node's KubeletConfiguration: what a cluster's node is like of its own accord, and what `up` was told besides."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from pilothouse.api.machinery.view import JsonObject
from pilothouse.cluster.errors import ClusterError
from pilothouse.cluster.home import Home
from pilothouse.cluster.kubelet_options import ENDPOINT, labels_of
from pilothouse.cluster.node_places import cgroup_root, containerd_config, layout
from pilothouse.cluster.settings import Settings
from pilothouse.kubelet.config import KubeletConfig
from pilothouse.kubelet.configuration.fields import upstream_defaults
from pilothouse.kubelet.configuration.files import ConfigurationError
from pilothouse.kubelet.configuration.mapping import configured
from pilothouse.kubelet.configuration.merge import Layers, lay, merged
from pilothouse.kubelet.configuration.validation import aggregate, errors
from pilothouse.kubelet.containerd import PAUSE_IMAGE
from pilothouse.kubelet.eviction.policy import DEFAULT_HARD
from pilothouse.kubelet.images.policy import ImagePolicy
from pilothouse.linux.cgroups import Cgroups
from pilothouse.net.pki import KeyPair
from pilothouse.network.node_network import CNI_FILE
from pilothouse.network.plan import bridge_name

_LEAVE_FREE = "5%"
"""The share of a disk below which the node is under pressure. Machines that clusters share with other work are often
fuller than upstream's 10 and 15 percent allow."""
_FULL = 95
"""The percentage of the disk used at which unused images go: for the same reason."""
_PULLS = 5
"""How many images are pulled at once: a registry that does not answer holds up no others."""
_OURS: Mapping[str, object] = MappingProxyType({
    "evictionHard": {**DEFAULT_HARD, "nodefs.available": _LEAVE_FREE, "imagefs.available": _LEAVE_FREE},
    "failCgroupV1": False,
    "imageGCHighThresholdPercent": _FULL,
    "imageGCLowThresholdPercent": _FULL - 5,
    "maxParallelImagePulls": _PULLS,
    "rotateCertificates": True,
    "serializeImagePulls": False,
})  # fmt: skip


def document(home: Home, settings: Settings) -> JsonObject:
    """The whole. Raises ConfigurationError."""
    base = lay(upstream_defaults(), {
        **_OURS,
        ENDPOINT: own_endpoint(home),
        "cgroupRoot": cgroup_root(home),
        "clusterDNS": [settings.dns_address],
        "clusterDomain": settings.cluster_domain,
        "podLogsDir": str(layout(home).logs),
        "port": settings.kubelet_port,
        "staticPodPath": str(home.node / "manifests"),
    })  # fmt: skip
    told = settings.kubelet
    return merged(base, Layers(told.get("file") or {}, told.get("further") or (), told.get("flags") or {}))


def own_endpoint(home: Home) -> str:
    """Where the cluster's own containerd answers."""
    return f"unix://{containerd_config(home).socket}"


def kubelet_config(home: Home, settings: Settings, serving: KeyPair, client_authority: bytes) -> KubeletConfig:
    """What the node's kubelet is configured by. Raises ValueError."""
    own = containerd_config(home)
    bare = KubeletConfig(
        node_name=settings.node_name,
        address=settings.advertise,
        root=layout(home).root,
        logs=layout(home).logs,
        images=own.root,
        snapshots=None if settings.runtime_endpoint else own.socket,
        image_policy=ImagePolicy(kept=() if settings.runtime_endpoint else (PAUSE_IMAGE,)),
        serving=serving,
        client_authority=client_authority,
        node_labels=labels_of(settings.kubelet),
    )
    return configured(bare, document(home, settings))


def checked(home: Home, settings: Settings) -> Settings:
    """The settings with the runtime that they lead to, once the configuration is seen to be right.

    Raises ClusterError with all that is wrong.
    """
    try:
        whole = document(home, settings)
        if wrong := errors(whole, cgroup_v2=Cgroups.detect().v2):
            raise ClusterError(f"failed to validate kubelet configuration, error: {aggregate(wrong)}")
        endpoint = "" if whole[ENDPOINT] == own_endpoint(home) else whole[ENDPOINT]
        settings = replace(settings, runtime_endpoint=endpoint)
        kubelet_config(home, settings, KeyPair(b"", b""), b"")
        if settings.cni_conf_dir and not endpoint:
            raise ClusterError("--cni-conf-dir goes with --container-runtime-endpoint: leave it out")
        _see_that_cni_is_ours(home, settings)
        if settings.registry_mirrors and endpoint:
            raise ClusterError("--registry-mirrors is of the node's own containerd: tell the other runtime itself")
    except ConfigurationError as error:
        raise ClusterError(str(error)) from None
    except ValueError as error:
        raise ClusterError(f"failed to run Kubelet: {error}") from None
    return settings


def _see_that_cni_is_ours(home: Home, settings: Settings) -> None:
    """`down` removes the file: it must not be that of another cluster with the same runtime."""
    file = Path(settings.cni_conf_dir) / CNI_FILE
    if settings.cni_conf_dir and file.exists() and f'"{bridge_name(home.cluster)}"' not in file.read_text():
        raise ClusterError(f"{file} is of another cluster: remove that, or name another directory with --cni-conf-dir")
