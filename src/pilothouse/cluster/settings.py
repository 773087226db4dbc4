"""Settings: what a cluster was made with by its first `up`, and what later ones may say anew. Kept in its home."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

import orjson

from pilothouse.cluster.errors import ClusterError
from pilothouse.cluster.home import Home, write_private

UNPRIVILEGED = 65532
"""The user id of the control plane and the DNS where `up` runs as root: "nonroot", as distroless images have it."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One cluster. Addresses are IPv4."""

    port: int = 6443
    """Where the API server listens."""
    node: bool = True
    """Whether this machine is a node of the cluster."""
    simulated_nodes: int = 0
    """How many nodes without a runtime there are besides."""
    node_name: str = ""
    """The name of this machine's node."""
    kubelet_port: int = 10250
    """Where the kubelet listens."""
    advertise: str = "127.0.0.1"
    """The address that pods, and other machines, reach this one at."""
    cluster_cidr: str = "10.244.0.0/16"
    """The range that nodes get their pods' addresses from."""
    service_cidr: str = "10.96.0.0/16"
    """The range of cluster IPs."""
    service_address: str = "10.96.0.1"
    """The cluster IP of the API server: the first of the range."""
    dns_address: str = "10.96.0.10"
    """The cluster IP of the DNS: the tenth."""
    cluster_domain: str = "cluster.local"
    """The domain of services and pods."""
    apiserver_flags: dict[str, str] = field(default_factory=dict)
    """Flags of upstream's API server, by their names without dashes: the store, audit, encryption, ..."""
    node_ip: str = ""
    """The node's address, where somebody has chosen it."""
    kubelet: dict[str, Any] = field(default_factory=dict)
    """What `up` was told of the kubelet: see `kubelet_options`."""
    runtime_endpoint: str = ""
    """Where a container runtime of somebody else's answers; empty: the node has a containerd of its own."""
    cni_conf_dir: str = ""
    """Where that runtime looks for its network's configuration, if it is to have ours."""
    registry_mirrors: str = ""
    """A directory of somebody's own that says where registries' images are to be had instead."""
    unprivileged: int = -1
    """The user id of all that needs no root; -1: that of whoever ran `up`."""

    def save(self, home: Home) -> None:
        """Keep them in the cluster's home."""
        write_private(home.settings, orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2))

    @classmethod
    def load(cls, home: Home) -> Self:
        """What the cluster in `home` was made with. Raises ClusterError."""
        try:
            found = orjson.loads(home.settings.read_bytes())
        except FileNotFoundError:
            raise ClusterError(f"there is no cluster in {home.path}: make one with `pilothouse up`") from None
        except PermissionError:
            raise ClusterError(f"{home.settings} may not be read: run this as the user that ran `up`") from None
        except orjson.JSONDecodeError as error:
            raise ClusterError(f"{home.settings} is damaged ({error}): delete {home.path} and begin anew") from None
        known = {each.name for each in fields(cls)}
        return cls(**{name: value for name, value in found.items() if name in known})
