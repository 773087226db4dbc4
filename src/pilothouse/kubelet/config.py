"""The kubelet's configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.cri.access import RuntimeAccess
from pilothouse.kubelet.eviction.policy import EvictionPolicy
from pilothouse.kubelet.identity.policy import CertificatePolicy
from pilothouse.kubelet.images.policy import ImagePolicy
from pilothouse.kubelet.log_policy import LogPolicy
from pilothouse.kubelet.managers.memory_policy import MemoryPolicy
from pilothouse.kubelet.managers.policy import Exclusive
from pilothouse.kubelet.reporting import NodeReporting
from pilothouse.kubelet.reservations import Reservations
from pilothouse.kubelet.resources.swap import SwapPolicy
from pilothouse.kubelet.security_policy import SecurityPolicy
from pilothouse.kubelet.shutdown.policy import ShutdownPolicy
from pilothouse.kubelet.static_pods.config import StaticPods
from pilothouse.net.pki import KeyPair


@dataclass(frozen=True, kw_only=True)
class KubeletConfig:
    """How a kubelet runs. Upstream: KubeletConfiguration, kubelet.config.k8s.io/v1beta1."""

    node_name: str
    """What the node is called."""
    address: str
    """Where the node is reached, by the API server above all."""
    root: Path
    """Pods' directories and volumes lie below it."""
    logs: Path
    """The containers' logs lie below it. Upstream: podLogsDir."""
    log_links: Path | None = None
    """Where links to them lie, for agents that collect logs; None: in `containers` beside them. Upstream always has
    them in /var/log/containers."""
    images: Path
    """Where the runtime keeps images: watched for space."""
    snapshots: Path | None = None
    """The socket of a containerd whose snapshots may be mounted where it cannot mount images into containers itself:
    before 2.1."""
    image_policy: ImagePolicy = field(default_factory=ImagePolicy)
    """How they are pulled, and when they are removed."""
    serving: KeyPair
    """Shown to clients of the kubelet's own API."""
    client_authority: bytes
    """PEM of the authority whose clients may be anybody."""
    port: int = 10250
    """Where the kubelet's own API listens."""
    host: str = "0.0.0.0"
    """The address that it binds."""
    cgroup_root: str = ""
    """The control group that all pods lie in; empty: the root."""
    cluster_domain: str = "cluster.local"
    """The domain of services."""
    cluster_dns: tuple[str, ...] = ()
    """Whom pods ask for names."""
    resolver: Path = Path("/etc/resolv.conf")
    """How the node itself resolves names: for pods with dnsPolicy Default."""
    max_pods: int = 110
    """How many pods the node takes."""
    pod_pids_limit: int = 0
    """How many processes a pod may have; 0: as many as the node."""
    node_labels: Mapping[str, str] = field(default_factory=dict)
    """Labels that the node registers with, besides its own."""
    register_with_taints: tuple[JsonObject, ...] = ()
    """Taints that it has when it registers for the first time."""
    reporting: NodeReporting = field(default_factory=NodeReporting)
    """How often the node tells of itself, and what."""
    runtime: RuntimeAccess = field(default_factory=RuntimeAccess)
    """Where the runtime is."""
    no_effect: Mapping[str, object] = field(default_factory=dict)
    """Fields of a KubeletConfiguration that somebody has set, and that nothing heeds."""
    eviction: EvictionPolicy = field(default_factory=EvictionPolicy)
    """When the node ends pods because it runs out of something."""
    static_pods: StaticPods = field(default_factory=StaticPods)
    """Where pods come from besides the API server."""
    log_rotation: LogPolicy = field(default_factory=LogPolicy)
    """How much of what containers write is kept."""
    security: SecurityPolicy = field(default_factory=SecurityPolicy)
    """What pods may do, and what is added to what they say of their security."""
    reservations: Reservations = field(default_factory=Reservations)
    """What is kept for those who are no pods."""
    swap: SwapPolicy = field(default_factory=SwapPolicy)
    """Whether containers may be swapped out."""
    shutdown: ShutdownPolicy = field(default_factory=ShutdownPolicy)
    """How much time pods have when the machine is shut down."""
    certificates: CertificatePolicy = field(default_factory=CertificatePolicy)
    """How the node comes by its certificates."""
    exclusive: Exclusive = field(default_factory=Exclusive)
    """What of the machine single containers may have for themselves."""
    memory: MemoryPolicy = field(default_factory=MemoryPolicy)
    """Which memory of it they may be bound to."""
