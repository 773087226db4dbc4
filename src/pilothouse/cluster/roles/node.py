"""This machine's node: its containerd, unless somebody else runs a runtime, its pod network, its kubelet."""

from dataclasses import replace
from pathlib import Path

from pilothouse.client.transport import HttpTransport
from pilothouse.cluster.access import reach
from pilothouse.cluster.home import Home
from pilothouse.cluster.inventory import Inventory
from pilothouse.cluster.node_configuration import document, kubelet_config
from pilothouse.cluster.node_places import containerd_config
from pilothouse.cluster.node_runtime import meet
from pilothouse.cluster.pki import Pki
from pilothouse.cluster.role import Ready
from pilothouse.cluster.settings import Settings
from pilothouse.kubelet import main as kubelet
from pilothouse.kubelet.config import KubeletConfig
from pilothouse.kubelet.containerd import Containerd, RuntimeMissing
from pilothouse.kubelet.cri.access import RuntimeAccess, socket_of
from pilothouse.kubelet.cri.client import CriClient
from pilothouse.kubelet.identity.node_certificates import NodeCertificates
from pilothouse.kubelet.identity.store import CLIENT, CertificateStore
from pilothouse.kubelet.image_archives import load_archives
from pilothouse.linux.mounts import Mounts
from pilothouse.network import main as network
from pilothouse.network.main import Made, NetworkConfig, Trace
from pilothouse.network.node_network import CNI_FILE
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.tasks import Tasks

NAME = "node"


async def run(home: Home, settings: Settings, clock: Clock, chance: Chance, ready: Ready) -> None:
    """Be a node until cancelled; containers and network stay. Raises RuntimeMissing, ValueError."""
    pki = Pki(home, settings)
    config = kubelet_config(home, settings, pki.pair(NAME, "serving"), pki.trusted(NAME))
    own = containerd_config(home, settings.registry_mirrors)
    containerd = None if settings.runtime_endpoint else Containerd(own, clock)
    async with Tasks() as tasks:
        starting = tasks.spawn(containerd.start(), name="containerd") if containerd else None
        transport, certified = _identity(home, settings, clock)
        client = await reach(transport, clock, "kubelet")
        tasks.spawn(network.run(_network(home, settings), client, clock, chance), name="network")
        if starting is not None:
            await starting
        await load_archives(home.node / "images", containerd.import_image if containerd else _no_loading)
        if containerd is not None:
            tasks.spawn(containerd.keep_running(), name="containerd watch")
        async with _cri(config.runtime, clock) as cri:
            if containerd is None:
                driver = str(document(home, settings)["cgroupDriver"])
                images = await meet(cri, settings.runtime_endpoint, driver, clock, config.images)
                config = replace(config, images=images)
            _make_places(config, home.node)
            await kubelet.run(config, client, cri, clock, chance, ready, certified)


async def _no_loading(_archive: Path) -> None:
    raise RuntimeMissing("archives of images are loaded into a containerd of the node's own alone")


def _cri(access: RuntimeAccess, clock: Clock) -> CriClient:
    images = socket_of(access.image_endpoint) if access.image_endpoint else ""
    return CriClient(socket_of(access.endpoint), clock, access.request_timeout, images)


def _make_places(config: KubeletConfig, ours: Path) -> None:
    manifests = config.static_pods.path
    for directory in (config.root, config.logs, manifests):
        # Where somebody else's manifests are to lie, he knows who named the place.
        if directory is not None and (directory is not manifests or directory.is_relative_to(ours)):
            directory.mkdir(parents=True, exist_ok=True)
    mounts = Mounts()
    if not mounts.below(config.root):  # else it is shared already, or what is mounted there would be hidden for good
        # What a container mounts in a volume reaches those that want it, also where the machine's `/` is private.
        mounts.share(config.root)


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
    own, record = containerd_config(home).cni_config, Inventory(home.inventory).record
    if settings.cni_conf_dir:
        record(Trace(Made.FILE, str(Path(settings.cni_conf_dir) / CNI_FILE)))
    return NetworkConfig(
        node_name=settings.node_name,
        cluster=home.cluster,
        cni_config=Path(settings.cni_conf_dir) if settings.cni_conf_dir else own,
        data=home.node / "addresses",
        record=record,
        cluster_cidr=settings.cluster_cidr,
        service_cidr=settings.service_cidr,
        dns_address=settings.dns_address,
    )
