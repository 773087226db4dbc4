"""This machine's node: its containerd, its pod network, its kubelet."""

from dataclasses import replace

from pilothouse.client.transport import HttpTransport
from pilothouse.cluster.access import reach
from pilothouse.cluster.home import Home
from pilothouse.cluster.inventory import Inventory
from pilothouse.cluster.node_places import cgroup_root, containerd_config
from pilothouse.cluster.pki import Pki
from pilothouse.cluster.role import Ready
from pilothouse.cluster.settings import Settings
from pilothouse.kubelet import main as kubelet
from pilothouse.kubelet.config import KubeletConfig
from pilothouse.kubelet.containerd import PAUSE_IMAGE, Containerd
from pilothouse.kubelet.cri.client import CriClient
from pilothouse.kubelet.eviction.policy import DEFAULT_HARD, EvictionPolicy
from pilothouse.kubelet.identity.node_certificates import NodeCertificates
from pilothouse.kubelet.identity.policy import CertificatePolicy
from pilothouse.kubelet.identity.store import CLIENT, CertificateStore
from pilothouse.kubelet.image_archives import load_archives
from pilothouse.kubelet.images.policy import ImagePolicy
from pilothouse.kubelet.static_pods.config import StaticPods
from pilothouse.linux.mounts import Mounts
from pilothouse.network import main as network
from pilothouse.network.main import NetworkConfig
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.tasks import Tasks

NAME = "node"
_LEAVE_FREE = "5%"
"""The share of a disk below which the node is under pressure. Machines that clusters share with other work are often
fuller than upstream's 10 and 15 percent allow."""
_FULL = 95
"""The percentage of the disk used at which unused images go: for the same reason."""
_PULLS = 5
"""How many images are pulled at once: a registry that does not answer holds up no others."""


async def run(home: Home, settings: Settings, clock: Clock, chance: Chance, ready: Ready) -> None:
    """Be a node until cancelled; containers and network stay. Raises RuntimeMissing."""
    runtime = containerd_config(home)
    containerd = Containerd(runtime, clock)
    async with Tasks() as tasks:
        starting = tasks.spawn(containerd.start(), name="containerd")
        transport, certified = _identity(home, settings, clock)
        client = await reach(transport, clock, "kubelet")
        tasks.spawn(network.run(_network(home, settings), client, clock, chance), name="network")
        await starting
        await load_archives(home.node / "images", containerd.import_image)
        tasks.spawn(containerd.keep_running(), name="containerd watch")
        async with CriClient(str(runtime.socket), clock) as cri:
            await kubelet.run(_kubelet(home, settings), client, cri, clock, chance, ready, certified)


def _identity(home: Home, settings: Settings, clock: Clock) -> tuple[HttpTransport, NodeCertificates]:
    """The way to the API server, with what `up` issued or what the kubelet was given since; and where that is kept."""
    pki = Pki(home, settings)
    kept = CertificateStore(pki.renewed, CLIENT, clock, pki.pair(NAME, "kubelet"))
    access = pki.access(NAME, "kubelet")
    if (pair := kept.last) is not None:
        access = replace(access, certificate=pair.certificate, key=pair.key)
    transport = access.transport(clock)
    kept.on_change(transport.renew)
    return transport, NodeCertificates(client=kept)


def _network(home: Home, settings: Settings) -> NetworkConfig:
    return NetworkConfig(
        node_name=settings.node_name,
        cluster=home.cluster,
        cni_config=containerd_config(home).cni_config,
        data=home.node / "addresses",
        record=Inventory(home.inventory).record,
        cluster_cidr=settings.cluster_cidr,
        service_cidr=settings.service_cidr,
        dns_address=settings.dns_address,
    )


def _kubelet(home: Home, settings: Settings) -> KubeletConfig:
    pki = Pki(home, settings)
    root, logs, manifests = home.node / "kubelet", home.node / "logs", home.node / "manifests"
    for directory in (root, logs, manifests):
        directory.mkdir(exist_ok=True)
    mounts = Mounts()
    if not mounts.below(root):  # else it is shared already, or what is mounted there would be hidden for good
        # What a container mounts in a volume reaches those that want it, also where the machine's `/` is private.
        mounts.share(root)
    return KubeletConfig(
        node_name=settings.node_name,
        address=settings.advertise,
        root=root,
        logs=logs,
        images=containerd_config(home).root,
        snapshots=containerd_config(home).socket,
        image_policy=ImagePolicy(
            high_threshold=_FULL, low_threshold=_FULL - 5, max_parallel_pulls=_PULLS, kept=(PAUSE_IMAGE,)
        ),
        serving=pki.pair(NAME, "serving"),
        client_authority=pki.trusted(NAME),
        port=settings.kubelet_port,
        cgroup_root=cgroup_root(home),
        cluster_domain=settings.cluster_domain,
        cluster_dns=(settings.dns_address,),
        eviction=EvictionPolicy(
            hard={**DEFAULT_HARD, "nodefs.available": _LEAVE_FREE, "imagefs.available": _LEAVE_FREE}
        ),
        static_pods=StaticPods(path=manifests),
        certificates=CertificatePolicy(rotate_certificates=True),
    )
