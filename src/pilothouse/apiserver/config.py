"""Configuration of the API server."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.audit.backend import Mode
from pilothouse.apiserver.audit.log_file import Rotation
from pilothouse.apiserver.flowcontrol.control import SEATS
from pilothouse.net.pki import KeyPair, SigningKey


@dataclass(frozen=True, kw_only=True)
class CertificateFiles:
    """Files that may change while the server runs."""

    certificate: Path
    """--tls-cert-file."""
    key: Path
    """--tls-private-key-file."""
    client_authority: Path
    """--client-ca-file."""


@dataclass(frozen=True, kw_only=True)
class AuditConfig:
    """What is recorded of requests, and where."""

    policy: Path
    """--audit-policy-file: the rules. Without any, nothing is recorded."""
    log: Path
    """--audit-log-path: the file that events are appended to; `-` is the standard output."""
    mode: Mode = Mode.BATCH
    """--audit-log-mode: whether answers wait until their events are written. Upstream's default is blocking, which
    costs it a system call; here it costs every answer a thread's turn."""
    rotation: Rotation = field(default_factory=Rotation)
    """--audit-log-maxsize, --audit-log-maxage, --audit-log-maxbackup."""


@dataclass(frozen=True, kw_only=True)
class EtcdConfig:
    """An etcd to keep the cluster in."""

    servers: tuple[str, ...]
    """--etcd-servers: URLs of its members. All are used, the first while it answers."""
    authority: Path | None = None
    """--etcd-cafile: who signs the members' certificates; https needs it."""
    certificate: Path | None = None
    """--etcd-certfile: what is shown to the members."""
    key: Path | None = None
    """--etcd-keyfile."""
    prefix: str = "/registry"
    """--etcd-prefix: where the cluster's keys are. Servers with the same one are one cluster."""
    compaction_interval: float = 300.0
    """--etcd-compaction-interval: seconds of history that is kept; 0 leaves compaction to others."""


@dataclass(frozen=True, kw_only=True)
class ApiServerConfig:
    """All that one API server needs to know."""

    state: Path
    """The file of the SQLite store; backups are put beside it."""
    etcd: EtcdConfig | None = None
    """The etcd to use in its place."""
    serving: KeyPair
    """Certificate and key of the front door."""
    certificates: CertificateFiles | None = None
    """Where these two come from, and what the server trusts, to be read again when the files change."""
    client_authority: bytes
    """PEM of the authority that signs client certificates."""
    kubelet_client: KeyPair
    """Certificate and key to ask kubelets with."""
    kubelet_authority: bytes
    """PEM of the authority that signs kubelets' serving certificates."""
    service_account_key: SigningKey
    """What service-account tokens are signed with, and known by."""
    service_account_issuer: str = "https://kubernetes.default.svc.cluster.local"
    """Who issues them; also the audience that means this server."""
    host: str = "0.0.0.0"
    """The address to listen on."""
    port: int = 6443
    """The port to listen on; 0 takes a free one."""
    advertise_address: str
    """The address that pods reach this server at."""
    http2: bool = False
    """Whether HTTP/2 is offered; upstream's --disable-http2-serving says the opposite. Requests cost more over it."""
    service_cidr: str = "10.96.0.0/16"
    """The range of cluster IPs."""
    node_ports: tuple[int, int] = (30000, 32767)
    """First and last node port."""
    enabled_admission: tuple[str, ...] = ()
    """Admission plugins to run besides those that are on by default."""
    disabled_admission: tuple[str, ...] = ()
    """Admission plugins not to run."""
    admission: Mapping[str, JsonObject] = field(default_factory=dict)
    """Configurations of admission plugins, by their names, as AdmissionConfiguration has them."""
    event_ttl: float = 3600.0
    """--event-ttl: seconds after which an event goes; 0 keeps them."""
    anonymous: bool = True
    """Whether requests without credentials are served as system:anonymous."""
    bootstrap_tokens: bool = False
    """--enable-bootstrap-token-auth: whether Secrets of that type in kube-system say who is a new node."""
    shutdown_delay: float = 0.0
    """--shutdown-delay-duration: seconds in which a server that is to end serves on, but says that it is not ready."""
    shutdown_grace: float = 5.0
    """Seconds that answers under way get after that."""
    seats: int = SEATS
    """--max-requests-inflight and --max-mutating-requests-inflight together: what priority and fairness divides."""
    encryption: Path | None = None
    """--encryption-provider-config: which resources are encrypted in the store; none without it."""
    audit: AuditConfig | None = None
    """What is recorded of requests; nothing without it."""
    manifests: tuple[JsonObject, ...] = ()
    """Objects to make before the first request is served, where they are missing."""
